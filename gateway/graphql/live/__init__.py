"""Subscriptions over WebSocket and server-sent events; equal ones share one computation."""
