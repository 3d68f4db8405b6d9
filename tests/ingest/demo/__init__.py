"""Tests of ingest.demo."""
