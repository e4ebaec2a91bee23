"""The keys of a service that keeps secrets, over HTTP and in its readiness."""

from xget_web.keys.desk import KeyDesk, keys_answer, opened_keys
from xget_web.keys.router import keys_router

__all__ = ["KeyDesk", "keys_answer", "keys_router", "opened_keys"]
