"""Rules, their instances and history, channels, silences, and what is to be sent."""
