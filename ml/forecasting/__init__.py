"""Volume per queue and half-hour for five weeks, the seats that it needs, and what is left for outbound calls."""
