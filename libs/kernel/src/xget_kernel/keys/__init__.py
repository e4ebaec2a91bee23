"""Where the keys come from that encrypt secrets, and what wraps them (ADR 0017, ADR 0023)."""

from xget_kernel.keys.content import (
    PLAIN,
    DataKey,
    KeyFile,
    KeyInUse,
    KeysFixed,
    KeysUnavailable,
    NoSuchKey,
    Retired,
    decoded,
)
from xget_kernel.keys.kek import Kek, KekTrouble, LocalKek
from xget_kernel.keys.opened import Keys
from xget_kernel.keys.places import InFile, Place
from xget_kernel.keys.settings import KeySettings
from xget_kernel.keys.store import KeyStore
from xget_kernel.keys.wrapping import Wrapping

__all__ = [
    "PLAIN",
    "DataKey",
    "InFile",
    "Kek",
    "KekTrouble",
    "KeyFile",
    "KeyInUse",
    "KeySettings",
    "KeyStore",
    "Keys",
    "KeysFixed",
    "KeysUnavailable",
    "LocalKek",
    "NoSuchKey",
    "Place",
    "Retired",
    "Wrapping",
    "decoded",
]
