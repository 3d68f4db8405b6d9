"""The command line, a module for each command; heavy imports wait until the command runs."""
