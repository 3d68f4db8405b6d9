"""The benchmark: what queries, ingest and memory cost, as ratios to floors of the same run."""
