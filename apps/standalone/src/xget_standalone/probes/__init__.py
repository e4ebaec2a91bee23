"""Asks the real engines themselves how they are, by the settings and with nothing of ours in between."""
