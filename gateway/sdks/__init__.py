"""Takes what the SDKs of Sentry send, and forwards errors to another Sentry server."""
