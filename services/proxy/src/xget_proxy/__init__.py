"""Proxies and their health."""
