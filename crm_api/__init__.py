"""The operational core: one package per noun over one store (SQLite embedded, PostgreSQL for real)."""
