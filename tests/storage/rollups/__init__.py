"""Tests of storage.rollups."""
