"""Tests of what is stored of errors."""
