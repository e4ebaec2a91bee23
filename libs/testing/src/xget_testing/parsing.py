"""A platform whose parser tests can change, and its raw pages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import zstandard

from xget_contracts.events import PageCollected
from xget_contracts.items import Item, Rejected
from xget_sources.ports import KnownFields, PageToParse, Parsed, TaskTypeSpec
from xget_sources.records import Cleaned, Record
from xget_testing.contracts.pages import START


class ToySource:
    """Reads pages that are JSON lists of texts; rejects those that contain a word it does not know yet."""

    platform = "toy"
    route = "toy"
    needs_account = False
    task_types: Mapping[str, TaskTypeSpec] = {}
    aliases: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.parser_version = "toy-1"
        self.unknown = "new-shape"
        self.known: set[str] = set()
        self.usual: set[str] = set()

    def parse(self, page: PageToParse) -> Parsed:
        found = Parsed(items=[], authors=[], rejected=[])
        for place, text in enumerate(msgspec.json.decode(page.body, type=list[str])):
            if text == "crash":
                raise RuntimeError("a bug of this parser")
            if self.unknown and self.unknown in text:
                path = "$[twice]" if "twice" in text else f"$[{place}]"
                raw = msgspec.json.encode(text)
                found.rejected.append(Rejected(path=path, reason="unknown shape", native_id=str(place), raw=raw))
            else:
                found.items.append(Item(key=f"toy:{text}", platform="toy", native_id=text, raw_text=text))
        return found

    def fields(self, page: PageToParse) -> Mapping[str, frozenset[str]]:
        """The first word of each text, as a field of the shape "text"."""
        try:
            texts = msgspec.json.decode(page.body, type=list[str])
        except msgspec.DecodeError:
            return {}
        words = frozenset(text.split()[0] for text in texts if text.split())
        return {"text": words} if words else {}

    def known_fields(self) -> KnownFields:
        """What tests set in `known` and `usual`."""
        return KnownFields(known={"text": frozenset(self.known)}, usual={"text": frozenset(self.usual)})

    def targets(self, task_type: str, parameters: Mapping[str, Any]) -> Any:
        raise NotImplementedError("Tests bring pages themselves.")

    def preview(self, task_type: str, parameters: Mapping[str, Any]) -> Any:
        raise NotImplementedError("Tests bring pages themselves.")

    def collect(self, request: Any, session: Any, cursor: str | None) -> Any:
        raise NotImplementedError("Tests bring pages themselves.")

    async def close(self) -> None:
        """Nothing is open."""


class ToyRecords:
    """Texts of the toy platform begin with their author's id."""

    platform = "toy"

    def record_of(self, body: bytes, key: str) -> Record | None:
        raise NotImplementedError("Processing looks for no records.")

    def without_author(self, body: bytes, author_id: str) -> Cleaned | None:
        payload = msgspec.json.decode(body)
        texts = [payload] if isinstance(payload, str) else payload
        left = [text for text in texts if not text.startswith(f"{author_id} ")]
        if len(left) == len(texts):
            return None
        return Cleaned(body=msgspec.json.encode(left), records=len(texts) - len(left), whole=isinstance(payload, str))


def make_raw(page_no: int, texts: Any, **fields: Any) -> PageCollected:
    """A raw page of the toy platform; bytes are taken as the body."""
    body = texts if isinstance(texts, bytes) else msgspec.json.encode(texts)
    given: dict[str, Any] = {
        "execution_id": "e1",
        "task_id": "t1",
        "owner_id": "owner-1",
        "page_no": page_no,
        "platform": "toy",
        "route": "toy",
        "task_type": "KEYWORD_SEARCH",
        "operation": "Toys",
        "fetched_at": START,
        "sha256": hashlib.sha256(body).hexdigest(),
        "body_zstd": zstandard.compress(body),
    }
    return PageCollected(**(given | fields))
