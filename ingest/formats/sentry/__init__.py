"""What Sentry's SDKs send: envelopes and the events in them."""
