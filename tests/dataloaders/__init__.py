"""Tests of the dataloaders package."""
