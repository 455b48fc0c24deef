"""The live bus: what happens in one process reaches the others through an outbox table."""
