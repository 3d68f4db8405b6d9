"""The command line: one module for each command, which imports what it needs when it runs."""
