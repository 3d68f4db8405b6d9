"""Plain HTTP endpoints."""
