"""Work orders and their history."""
