"""The edge: routes, middleware, settings, health, embedded servers and the command line."""
