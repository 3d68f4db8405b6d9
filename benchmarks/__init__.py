"""The benchmark: the cost of queries, ingest and memory, as ratios to floors of the same run."""
