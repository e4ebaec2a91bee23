"""Platforms: how to collect a page and how to parse it."""
