"""What clients see: the GraphQL schema. Importing it connects to nothing."""

from schema.root import schema

__all__ = ["schema"]
