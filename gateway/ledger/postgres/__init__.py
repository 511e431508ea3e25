"""The cooperative's own double entry, in PostgreSQL."""
