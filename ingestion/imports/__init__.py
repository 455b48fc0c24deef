"""Foreign history: files of other centres into the operational store, by a mapping (docs/import.md)."""
