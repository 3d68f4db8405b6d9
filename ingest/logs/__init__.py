"""Log lines: what is made of their events before they wait to be written."""
