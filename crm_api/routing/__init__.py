"""How calls are routed: queue strategies, agents' endpoints, and how far the live picture was from the PBX's log."""
