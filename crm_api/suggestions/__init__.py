"""The complaint type that a text suggests: a port that a model fills, and what people chose instead."""
