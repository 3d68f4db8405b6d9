"""Subscriptions over WebSocket and server-sent events: one computation for all who ask the same."""
