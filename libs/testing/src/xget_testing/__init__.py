"""Contract suites and fixtures for tests."""
