"""Who gets which report, and what became of each sending."""
