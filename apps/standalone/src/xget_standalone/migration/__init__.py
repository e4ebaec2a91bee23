"""Moves a single node's folder into other engines; beside the runner, the only place that knows all services."""
