"""gRPC servers and clients with deadlines, health and caller identity."""
