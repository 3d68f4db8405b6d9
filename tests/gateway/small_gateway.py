"""A gateway process with the small test schema: `python -m tests.gateway.small_gateway`."""

from gateway.server import serve
from gateway.settings import load_settings
from tests.gateway.graphql.edge import SCHEMA

if __name__ == "__main__":
    serve(load_settings(), SCHEMA)
