"""The xget command."""
