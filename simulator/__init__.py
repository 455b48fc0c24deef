"""A province in motion: customers, calls, tickets, shifts, outages; vectorised, seeded, any size."""
