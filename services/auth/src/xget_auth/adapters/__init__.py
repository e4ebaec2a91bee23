"""Passwords and signatures by their libraries."""
