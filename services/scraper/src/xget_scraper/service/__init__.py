"""Use cases: what users do with tasks, and what workers do with executions."""
