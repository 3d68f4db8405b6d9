"""Rounds of `kill -9` against the whole product while events come in."""
