"""Gateway, services and workers in one process."""

__version__ = "0.1.0"
