"""How a field gets its value: permission first, then load or write."""
