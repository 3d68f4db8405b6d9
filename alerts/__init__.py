"""Rules out: what is wrong, who is told, and why. Calls analytics itself, uncached."""
