"""Ways to log in to X."""
