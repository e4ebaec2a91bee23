"""X's own wire format of 2026: users, posts and timelines as its web client gets them."""
