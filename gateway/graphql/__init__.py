"""The GraphQL edge: the HTTP view, limits on documents, and the GraphiQL page."""
