"""All that is particular to PostgreSQL."""
