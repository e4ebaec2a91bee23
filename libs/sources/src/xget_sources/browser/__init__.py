"""The system's Chromium, driven by Playwright: watched, trusting what this machine trusts, leaving nothing behind."""
