"""Where addresses are, from MMDB files that the operator supplies. A file that is replaced is read anew."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import maxminddb

from xget_kernel.errors import StartupError
from xget_proxy.service.seeing import Place
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

LOOK_SECONDS: Final = 5.0
_KINDS: Final = ("city", "country", "enterprise", "isp", "asn", "insights")
_SETTING: Final = "XGET_GEOIP_DB"


class GeoBooks:
    """Several MMDB files as one: the first that knows a field tells it. Raises StartupError for a file that is none.

    A file that was replaced by a bad one is not taken: the one before stays, and `trouble` says why.
    """

    def __init__(self, setting: str, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._books = [_Book(Path(part.strip())) for part in setting.split(",") if part.strip()]
        self._look_seconds = look_seconds
        self._looked = time.monotonic()

    @property
    def trouble(self) -> str:
        """What is wrong with a replaced file, as a sentence; "" when all is well."""
        return next((book.trouble for book in self._books if book.trouble), "")

    def __call__(self, address: str) -> Place:
        """Where an address is; an empty Place when no file knows."""
        if time.monotonic() - self._looked >= self._look_seconds:
            self._looked = time.monotonic()
            for book in self._books:
                book.renew()
        found = [book.place(address) for book in self._books]
        return Place(
            next((place.country for place in found if place.country), None),
            next((place.city for place in found if place.city), None),
            next((place.isp for place in found if place.isp), None),
        )

    def close(self) -> None:
        """Close the files."""
        for book in self._books:
            book.close()


class _Book:
    def __init__(self, path: Path) -> None:
        self.trouble = ""
        self._path = path
        self._mark = _mark(path)
        self._reader = _opened(path)

    def renew(self) -> None:
        """Read the file again when it is another."""
        mark = _mark(self._path)
        if mark == self._mark:
            return
        self._mark = mark
        try:
            fresh = _opened(self._path)
        except StartupError as error:
            self.trouble = f"{error} The file before is used until then."
            log.warning("geoip_file_refused", reason=str(error))
            return
        self._reader.close()
        self._reader, self.trouble = fresh, ""
        log.info("geoip_file_renewed")

    def place(self, address: str) -> Place:
        try:
            found = self._reader.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):
            return Place()
        return _place(found) if isinstance(found, Mapping) else Place()

    def close(self) -> None:
        self._reader.close()


def _opened(path: Path) -> maxminddb.Reader:
    try:
        # Read into memory: a file that is overwritten in place under a mapping would end the process.
        reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)
    except OSError as error:
        raise StartupError(f"{_SETTING}: {path} cannot be read ({error.strerror}): name an MMDB file.") from error
    except (maxminddb.InvalidDatabaseError, UnicodeDecodeError, ValueError) as error:
        raise StartupError(f"{_SETTING}: {path} is damaged or no MMDB file: download it again.") from error
    kind = reader.metadata().database_type
    if not any(word in kind.lower() for word in _KINDS):
        reader.close()
        raise StartupError(
            f"{_SETTING}: {path} is an MMDB file of another kind ({kind}): use one of cities, countries, ISPs or ASNs."
        )
    return reader


def _place(found: Mapping[str, object]) -> Place:
    country = _text(_part(found, "country"), "iso_code") or _text(_part(found, "registered_country"), "iso_code")
    city = _text(_part(_part(found, "city"), "names"), "en")
    isp = _text(found, "isp") or _text(found, "autonomous_system_organization") or _text(_part(found, "traits"), "isp")
    return Place(country[:2].upper() if country else None, city[:100] if city else None, isp[:100] if isp else None)


def _part(whole: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = whole.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(whole: Mapping[str, object], name: str) -> str | None:
    value = whole.get(name)
    return value if isinstance(value, str) else None


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns
