"""Operational store to lake; foreign history (CSV, XLSX) to store."""
