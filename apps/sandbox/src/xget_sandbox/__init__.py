"""An offline X behind a forward proxy."""
