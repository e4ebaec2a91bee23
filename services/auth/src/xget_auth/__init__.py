"""Credentials, sessions and signing keys."""
