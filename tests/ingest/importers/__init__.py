"""Tests of ingest.importers."""
