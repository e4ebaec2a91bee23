"""Accounts, their secrets and leases."""
