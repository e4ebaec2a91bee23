"""Cache, request limits and short locks: what may be lost at any time."""
