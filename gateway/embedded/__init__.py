"""Postgres and Redis of our own, for `make run` and the tests on a machine that has neither."""
