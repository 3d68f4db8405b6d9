"""Events in: wire formats, one normaliser, lanes, the writer and importers."""
