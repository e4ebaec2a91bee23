"""The HTTP app builder: problem+json, callers, pages, idempotency, health."""
