"""Pages for a browser: serves the built files, and builds them in a checkout."""
