"""Tests of grouping and of what else is special about error events."""
