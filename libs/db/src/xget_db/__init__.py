"""Sessions, portable types, outbox, inbox and migrations."""
