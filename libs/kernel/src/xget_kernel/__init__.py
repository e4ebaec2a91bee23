"""Ids, clock, errors, caller, cursors and encrypted fields."""
