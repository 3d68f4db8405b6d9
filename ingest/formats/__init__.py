"""The wire formats: each turns a body into raw events for the normaliser."""
