"""Outside things, one file per technology."""
