"""Measures the false alarms of verdicts and suspects: `python -m tests.simulations`."""
