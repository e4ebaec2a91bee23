"""Messages that show no values: leases carry cookies, and the usual repr of a message prints them all."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass


def hide_messages(generated: object) -> None:
    """Let the messages beside a generated stub or `add_…_to_server` show their names only, and refuse to be pickled.

    Their bytes on the wire stay what they are.
    """
    name = str(getattr(generated, "__module__", "")).removesuffix("_grpc")
    file = getattr(sys.modules.get(name), "DESCRIPTOR", None)
    for descriptor in file.message_types_by_name.values() if file is not None else ():
        _hide(descriptor)


def _hide(descriptor: Descriptor) -> None:
    if descriptor.GetOptions().map_entry:
        return
    message: Any = GetMessageClass(descriptor)
    message.__repr__ = message.__str__ = _name
    message.__reduce_ex__ = _refuse
    for inner in descriptor.nested_types:
        _hide(inner)


def _name(message: Any) -> str:
    return f"<{message.DESCRIPTOR.full_name}>"


def _refuse(message: Any, _protocol: object) -> NoReturn:
    raise TypeError(f"{_name(message)} is not pickled: it may carry secrets.")
