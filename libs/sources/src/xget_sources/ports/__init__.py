"""What a platform must offer, and what it is given to work with."""

from xget_sources.ports.pages import (
    CollectRequest,
    Counted,
    KnownFields,
    PageToParse,
    Parsed,
    Preview,
    RawPage,
    Target,
    TaskTypeSpec,
)
from xget_sources.ports.sessions import (
    ApiCredential,
    Lease,
    NoAccount,
    NotOffered,
    Outcome,
    Session,
    SourceStopped,
    Spend,
)
from xget_sources.ports.source import Counting, Source

__all__ = [
    "ApiCredential",
    "CollectRequest",
    "Counted",
    "Counting",
    "KnownFields",
    "Lease",
    "NoAccount",
    "NotOffered",
    "Outcome",
    "PageToParse",
    "Parsed",
    "Preview",
    "RawPage",
    "Session",
    "Source",
    "SourceStopped",
    "Spend",
    "Target",
    "TaskTypeSpec",
]
