"""ASGI middleware around every app, outermost first: edge, hosts, bodies."""
