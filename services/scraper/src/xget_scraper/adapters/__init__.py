"""What connects the ports to the world."""
