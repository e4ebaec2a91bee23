"""Mail boxes of the sandbox's people, read over IMAP."""
