"""Service levels: policies, clocks, the escalation ladder, and why a deadline is what it is."""
