"""Reads X's confirmation codes from a mailbox over IMAP with TLS."""

from __future__ import annotations

import email
import imaplib
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from typing import Final

KNOWN_HOSTS: Final = {
    "gmail.com": "imap.gmail.com",
    "googlemail.com": "imap.gmail.com",
    "hotmail.com": "outlook.office365.com",
    "icloud.com": "imap.mail.me.com",
    "live.com": "outlook.office365.com",
    "me.com": "imap.mail.me.com",
    "outlook.com": "outlook.office365.com",
    "yahoo.com": "imap.mail.yahoo.com",
}
SENDERS: Final = ("x.com", "twitter.com")
LOOK_EVERY_S: Final = 1.0
SLACK: Final = timedelta(seconds=30)
"""Clocks of mail servers differ: a mail may be dated so much before it was sent. It may as well be of a login just
before, so it is taken only when none that is dated right has come after …"""
GRACE: Final = 0.25
"""… this part of the time."""
NEWEST: Final = 10
CONNECT_S: Final = 10.0
IMAPS_PORT: Final = 993
_CODE: Final = re.compile(r"(?:confirmation|verification|login) code is:?\s*([A-Za-z0-9]{4,12})\s*$", re.IGNORECASE)


class MailRefused(Exception):
    """The mailbox does not open; the text says why, without secrets."""


class MailAway(Exception):
    """The mail server cannot be asked, or not trusted; the text says why and what to do."""


class NoCode(Exception):
    """No code came in time."""


@dataclass(frozen=True)
class MailHosts:
    """Which IMAP server has the mail of a domain."""

    own: Mapping[str, tuple[str, int]]

    @classmethod
    def parse(cls, text: str) -> MailHosts:
        """From `domain=host[:port],…`. Raises ValueError with a sentence."""
        own: dict[str, tuple[str, int]] = {}
        for pair in filter(None, (part.strip() for part in text.split(","))):
            domain, sign, address = pair.partition("=")
            host, _, port = address.partition(":")
            if not sign or not domain or not host or not (port or "993").isdecimal():
                raise ValueError(f"XGET_IMAP_HOSTS has {pair!r}: write each as domain=host or domain=host:port.")
            own[domain.lower()] = (host, int(port or 993))
        return cls(own)

    def of(self, address: str) -> tuple[str, int]:
        """Host and port for an e-mail address."""
        domain = address.rpartition("@")[2].lower()
        return self.own.get(domain) or (KNOWN_HOSTS.get(domain, f"imap.{domain}"), IMAPS_PORT)


def wait_for_code(address: str, password: str, hosts: MailHosts, since: datetime, seconds: float) -> str:
    """The newest code that was sent after `since`; blocks. Raises MailRefused, MailAway and NoCode."""
    host, port = hosts.of(address)
    began, since = time.monotonic(), since.replace(microsecond=0)
    deadline, doubtful = began + seconds, began + GRACE * seconds
    box = _opened(host, port, address, password)
    try:
        while True:
            if (code := _newest(box, since if time.monotonic() < doubtful else since - SLACK)) is not None:
                return code
            if time.monotonic() + LOOK_EVERY_S > deadline:
                raise NoCode(f"No confirmation code came to {address} within {seconds:.0f} seconds.")
            time.sleep(LOOK_EVERY_S)
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailAway(f"The mail server {host}:{port} broke off: let it log in again when it answers.") from error
    finally:
        _closed(box)


def _opened(host: str, port: int, address: str, password: str) -> imaplib.IMAP4_SSL:
    where = f"The mail server {host}:{port}"
    try:
        box = imaplib.IMAP4_SSL(host, port, ssl_context=ssl.create_default_context(), timeout=CONNECT_S)
    except ssl.SSLError as error:
        fix = "correct XGET_IMAP_HOSTS or SSL_CERT_FILE, then let it log in again"
        raise MailAway(f"{where} shows a certificate that is not trusted here: {fix}.") from error
    except TimeoutError as error:
        raise MailAway(f"{where} does not answer: correct XGET_IMAP_HOSTS, or let it log in again later.") from error
    except (OSError, imaplib.IMAP4.error, socket.gaierror) as error:
        raise MailAway(f"{where} cannot be reached: set XGET_IMAP_HOSTS for this domain.") from error
    try:
        box.login(address, password)
    except (imaplib.IMAP4.abort, OSError) as error:
        _closed(box)
        raise MailAway(f"{where} broke off: let it log in again when it answers.") from error
    except imaplib.IMAP4.error as error:
        _closed(box)
        raise MailRefused(f"The mail server {host} refuses {address}: set the right `email_password`.") from error
    return box


def _closed(box: imaplib.IMAP4_SSL) -> None:
    try:
        box.logout()
    except (imaplib.IMAP4.error, OSError):
        box.shutdown()


def _newest(box: imaplib.IMAP4_SSL, since: datetime) -> str | None:
    """The newest code in the inbox; the box is opened anew each time, so that new mail is seen."""
    answer, counted = box.select("INBOX", readonly=True)
    if answer != "OK":
        raise imaplib.IMAP4.error("no inbox")
    count = int(counted[0] or b"0")
    found = [(sent, code) for message in _messages(box, count) if (pair := _read(message)) for sent, code in [pair]]
    fresh = [(sent, code) for sent, code in found if sent >= since]
    return max(fresh)[1] if fresh else None


def _messages(box: imaplib.IMAP4_SSL, count: int) -> Iterator[Message]:
    if count < 1:
        return
    first = max(1, count - NEWEST + 1)
    _, parts = box.fetch(f"{first}:{count}", "(BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)])")
    for part in parts:
        if isinstance(part, tuple):
            yield email.message_from_bytes(part[1])


def _read(message: Message) -> tuple[datetime, str] | None:
    """When a code was sent, and the code."""
    domain = parseaddr(str(message.get("From", "")))[1].rpartition("@")[2].lower()
    code = _CODE.search(" ".join(str(message.get("Subject", "")).split()))
    if code is None or not any(domain == one or domain.endswith(f".{one}") for one in SENDERS):
        return None
    try:
        sent = parsedate_to_datetime(str(message.get("Date")))
    except (TypeError, ValueError):
        return None
    return (sent if sent.tzinfo else sent.replace(tzinfo=UTC)), code[1]
