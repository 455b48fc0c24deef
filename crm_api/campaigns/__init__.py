"""Campaigns and call lists: what is offered to whom, who may be called, and what came of it."""
