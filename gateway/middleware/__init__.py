"""Pure ASGI middleware; gateway.app lists it in order."""
