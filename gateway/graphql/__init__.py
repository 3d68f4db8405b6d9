"""The GraphQL edge: the HTTP view and limits on documents."""
