"""Where the keys come from that encrypt secrets, and what wraps them (ADR 0017)."""

from xget_kernel.keys.kek import Kek, KekTrouble, LocalKek
from xget_kernel.keys.opened import Keys
from xget_kernel.keys.settings import KeySettings
from xget_kernel.keys.store import PLAIN, DataKey, KeyFile, KeysFixed, KeyStore, KeysUnavailable, decoded

__all__ = [
    "PLAIN",
    "DataKey",
    "Kek",
    "KekTrouble",
    "KeyFile",
    "KeySettings",
    "KeyStore",
    "Keys",
    "KeysFixed",
    "KeysUnavailable",
    "LocalKek",
    "decoded",
]
