"""The demo data that `gateway demo` loads: invented deployments, with incidents to find."""

from ingest.demo.load import DEPLOYMENTS, is_empty, load

__all__ = ["DEPLOYMENTS", "is_empty", "load"]
