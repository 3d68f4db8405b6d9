"""The demo data that `gateway demo` loads: invented deployments, with incidents to find."""

from ingest.demo.load import is_empty, load

__all__ = ["is_empty", "load"]
