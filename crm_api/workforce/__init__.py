"""Queues, seats, agents and their time."""
