"""What X mails to its people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final

from xget_sandbox.errors import SandboxError

SENDER: Final = "X <info@x.com>"
_KNOWN: Final = frozenset({"delay", "lost", "refuse", "send"})


@dataclass(slots=True)
class Mail:
    """One message; it is in the box from `arrives` on."""

    raw: bytes
    arrives: datetime
    subject: str


@dataclass(slots=True)
class Mailbox:
    """One address. `taken` counts what the IMAP server has put into its own box."""

    password: str
    mails: list[Mail] = field(default_factory=list)
    taken: int = 0


class Post:
    """Delivers mail: late by `delay` seconds, or never when `lost`; `refuse` makes every IMAP login fail."""

    def __init__(self) -> None:
        self.boxes: dict[str, Mailbox] = {}
        self.delay = 0.0
        self.lost = False
        self.refuse = False

    def open(self, address: str, password: str) -> None:
        """A box for an address; an existing one keeps its mail."""
        box = self.boxes.setdefault(address.casefold(), Mailbox(password))
        box.password = password

    def send_code(self, address: str, code: str, *, age: float = 0.0) -> None:
        """Send a confirmation code; `age` seconds ago."""
        box = self.boxes.get(address.casefold())
        if box is None or self.lost:
            return
        now = datetime.now(UTC)
        mail = EmailMessage()
        mail["From"], mail["To"] = SENDER, address
        mail["Subject"] = f"Your X confirmation code is {code}"
        mail["Date"] = format_datetime(now - timedelta(seconds=age))
        mail.set_content(f"Confirm your email address\n\nPlease enter this code to log in: {code}\n")
        box.mails.append(Mail(mail.as_bytes(), now + timedelta(seconds=self.delay), str(mail["Subject"])))

    def set(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """`{delay, lost, refuse, send: {to, code, age}}`. Raises SandboxError."""
        if set(given) - _KNOWN:
            raise SandboxError(f"mail: there are {', '.join(sorted(_KNOWN))}.")
        delay = given.get("delay", self.delay)
        if isinstance(delay, bool) or not isinstance(delay, (int, float)) or delay < 0:
            raise SandboxError("mail.delay: has to be a number of at least 0.")
        self.delay = float(delay)
        self.lost, self.refuse = bool(given.get("lost", self.lost)), bool(given.get("refuse", self.refuse))
        if sent := given.get("send"):
            if not isinstance(sent, Mapping) or not {"to", "code"} <= set(sent):
                raise SandboxError("mail.send: has to be an object of to, code and age (seconds).")
            self.send_code(str(sent["to"]), str(sent["code"]), age=float(sent.get("age", 0)))
        return self.told()

    def told(self) -> dict[str, Any]:
        """Addresses and the subjects in their boxes."""
        boxes = {address: [mail.subject for mail in box.mails] for address, box in self.boxes.items()}
        return {"delay": self.delay, "lost": self.lost, "refuse": self.refuse, "boxes": boxes}
