"""Asterisk: what its logs and events say, and the calls, visits and agent time that follow from them."""
