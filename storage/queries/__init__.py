"""Reads of lists and single rows; every read of tenants' rows takes a scope."""
