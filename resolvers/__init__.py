"""Resolvers: load or write the values of fields, inside the viewer's scope."""
