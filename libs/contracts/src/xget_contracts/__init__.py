"""Wire contracts: generated gRPC code and event structs."""
