"""Logging in to X: registered people, the login flow as X's web client speaks it, its pages, and Google's."""
