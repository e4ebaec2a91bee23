"""More ways into the sandbox: proxies of every kind and temper, each with an address of its own."""

from xget_sandbox.exits.echo import ECHO_HOST, EXIT_HEADER, echo
from xget_sandbox.exits.exits import Exits

__all__ = ["ECHO_HOST", "EXIT_HEADER", "Exits", "echo"]
