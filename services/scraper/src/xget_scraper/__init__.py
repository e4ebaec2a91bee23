"""Tasks, executions, pages and certificates."""
