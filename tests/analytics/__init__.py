"""Tests of the analytics package."""
