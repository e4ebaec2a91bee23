"""Programs that some tests use and that no package index has: found on this machine, or brought into the cache."""
