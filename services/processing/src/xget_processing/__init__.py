"""From raw pages to items; quarantine."""
