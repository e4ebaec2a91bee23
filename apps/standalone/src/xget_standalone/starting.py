"""What can keep a node from starting, told on one line."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from xget_kernel.errors import StartupError, XGetError


def check_trust(env: Mapping[str, str]) -> None:
    """Raise StartupError when SSL_CERT_FILE names no certificates: every connection would fail later."""
    path = env.get("SSL_CERT_FILE")
    if not path:
        return
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise StartupError(
            f"SSL_CERT_FILE names {path}, which cannot be used ({reason}): correct or unset it."
        ) from error


@contextmanager
def explained() -> Iterator[None]:
    """Raise what the disk or a service says at the start as a StartupError."""
    try:
        yield
    except (XGetError, OSError) as error:
        raise as_refusal(error) from error


def first_refusal(tasks: Iterable[asyncio.Task[None]], *, started: bool) -> StartupError | None:
    """Why the node does not start; every task is looked at, so that none complains later. Before it has started,
    what the disk or a service said counts too."""
    errors = [task.exception() for task in tasks if task.done() and not task.cancelled()]
    found = [error for error in errors if isinstance(error, StartupError)]
    if not found and not started:
        found = [as_refusal(error) for error in errors if isinstance(error, XGetError | OSError)]
    return found[0] if found else None


def as_refusal(error: XGetError | OSError) -> StartupError:
    """A known failure as a sentence."""
    if isinstance(error, XGetError):
        return StartupError(error.detail)
    place = f" {error.filename}" if error.filename else ""
    return StartupError(f"The start failed at{place or ' a file'} ({error.strerror or error}): mend that, then retry.")
