"""All SQL of the auth service."""

from xget_auth.repository.repository import AuthRepository

__all__ = ["AuthRepository"]
