"""ETag and If-Match: an update that another one overtook is refused, not lost."""

from hashlib import blake2b
from typing import Annotated

from fastapi import Header, Response

from xget_kernel.errors import PreconditionFailed


class Overtaken(PreconditionFailed):
    """If-Match names another version than the present one."""

    code = "version_mismatch"
    title = "Changed in the meantime"


IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=1000, description="ETag of the version you saw; leave out to overwrite."),
]


def etag(*parts: object) -> str:
    """A strong ETag made of what identifies a version: a revision, or id and time of change."""
    text = "\x1f".join(str(p) for p in parts)
    return f'"{blake2b(text.encode(), digest_size=12).hexdigest()}"'


def check_if_match(if_match: str | None, current: str) -> None:
    """Raise Overtaken (412) unless the header is absent, `*`, or lists the current ETag."""
    if if_match is None:
        return
    named = {t.strip() for t in if_match.split(",")}
    if "*" in named or current in named:
        return
    raise Overtaken("It has changed since you read it: read it again, then repeat your change with the new ETag.")


def set_etag(response: Response, current: str) -> None:
    """Put the ETag on an answer."""
    response.headers["ETag"] = current
