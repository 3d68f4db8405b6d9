"""Pure ASGI middleware for HTTP and WebSockets; gateway.app lists it in order."""
