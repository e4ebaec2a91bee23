"""One process per service and worker on this machine, and who looks after them."""
