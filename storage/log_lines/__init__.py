"""The texts of log lines: their table, and which of them are stored."""
