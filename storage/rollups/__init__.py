"""Roll-ups derived from the facts: tables, and the SQL that keeps, rebuilds and checks them."""
