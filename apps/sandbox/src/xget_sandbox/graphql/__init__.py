"""The GraphQL gate of x.com: who may ask, how often, what goes wrong, and the answers."""
