"""Many keys, one call: the loaders a request uses."""
