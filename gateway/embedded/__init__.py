"""Embedded Postgres and Redis, for `make run` and the tests on a machine that has neither."""
