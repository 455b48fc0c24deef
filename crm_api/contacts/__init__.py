"""Contacts of every channel, and calls in detail."""
