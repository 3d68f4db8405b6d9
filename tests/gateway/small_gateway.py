"""A gateway process with the small test schema: `python -m tests.gateway.small_gateway`."""

from gateway.config.settings import load_settings
from gateway.processes.server import serve
from tests.gateway.graphql.edge import SCHEMA

if __name__ == "__main__":
    serve(load_settings(), SCHEMA)
