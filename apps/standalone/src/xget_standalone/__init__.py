"""Gateway, services and workers in one process."""
