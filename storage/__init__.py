"""Tables and connections: facts, dimensions, queries, partitions, feed and cache."""
