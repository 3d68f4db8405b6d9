"""Invented deployments to look at, with incidents to find: `gateway demo`."""

from ingest.demo.load import DEPLOYMENTS, is_empty, load

__all__ = ["DEPLOYMENTS", "is_empty", "load"]
