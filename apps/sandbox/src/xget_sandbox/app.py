"""Putting a sandbox together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from xget_sandbox.api_v2.gate import ApiGate
from xget_sandbox.ca import CertificateAuthority, write_atomically
from xget_sandbox.conditions import Conditions
from xget_sandbox.control import Control
from xget_sandbox.director import Director, Step
from xget_sandbox.drift import Drifts
from xget_sandbox.errors import SandboxError
from xget_sandbox.exits import Exits
from xget_sandbox.faults import Faults
from xget_sandbox.graphql.gate import Gate
from xget_sandbox.graphql.world_source import WorldSource
from xget_sandbox.journal import Journal
from xget_sandbox.limits import Limits, SandboxClock
from xget_sandbox.login.door import Door
from xget_sandbox.login.people import People
from xget_sandbox.mail.box import Post
from xget_sandbox.paging import Pagings
from xget_sandbox.replay import load_recordings
from xget_sandbox.scenario import Scenario
from xget_sandbox.server import ProxyServer
from xget_sandbox.site import Site
from xget_sandbox.source import Source
from xget_sandbox.transaction import TransactionPages
from xget_sandbox.truth import Truth
from xget_sandbox.world import build_world
from xget_sandbox.world.changes import Changes


@dataclass(frozen=True, slots=True)
class Options:
    """How a sandbox is to be; `limit_scale` multiplies X's real limits."""

    port: int = 8899
    ca_file: Path | None = None
    seed: int = 7
    posts: int = 2000
    replay: Path | None = None
    faults: Sequence[str] = ()
    limit_scale: float = 10.0
    days: float = 120.0
    paging: str = ""
    exits: Sequence[str] = ()
    rich: bool = False
    speed: float = 0.0
    imap_port: int | None = None
    """Port of an IMAP server for the people's mail; 0 for any, None for no server."""
    start: Mapping[str, Any] = field(default_factory=dict)
    schedule: Sequence[Step] = ()

    def under(self, scenario: Scenario) -> Options:
        """The same sandbox in a scenario, which says what its world is and what happens in it."""
        return replace(
            self, speed=scenario.speed, start=scenario.start, schedule=scenario.schedule, **scenario.world
        )  # fmt: skip


class Sandbox:
    """A running sandbox: `async with Sandbox(Options(port=0)) as sandbox: sandbox.proxy_url`.

    Raises SandboxError for a bad manifest, fault, size, CA file or a port in use.
    """

    def __init__(self, options: Options) -> None:
        if options.posts < 0 or options.limit_scale <= 0 or options.days <= 0:
            raise SandboxError("--posts must be at least 0, --limit-scale and --days above 0.")
        self.options = options
        posts = 0 if options.replay else options.posts
        self.world = build_world(options.seed, posts, options.days, rich=options.rich)
        self.authority = CertificateAuthority()
        clock = SandboxClock(options.speed)
        self.world.life.elapsed = clock.elapsed
        self.conditions = Conditions(
            faults=Faults(options.faults, options.seed),
            limits=Limits(clock, options.limit_scale),
            pagings=Pagings(options.paging, options.seed, clock.now),
            drifts=Drifts(clock.elapsed),
            journal=Journal(),
        )
        world_source = WorldSource(self.world, self.conditions.pagings)
        listings = world_source.listings
        source: Source = load_recordings(options.replay) if options.replay else world_source
        changes = Changes(self.world, lambda query: listings.search(query, "Latest"))
        self.director = Director(self.conditions, changes, options.schedule)
        self.director.apply(options.start)
        self.truth = Truth(self.world, listings, replaying=options.replay is not None)
        transaction = TransactionPages(options.seed)
        self.people = People(Post(), options.seed)
        self.mail: Any = None
        self.imap_port = 0
        gate = Gate(source, self.director, transaction, self.people)
        self.api = ApiGate(self.world, self.director)
        control = Control(self.truth, self.director, self.people, self.api.credentials, self.authority.pem)
        site = Site(gate, transaction, Door(self.people), self.api)
        self.server = ProxyServer(site, control, self.authority)
        self.exits = control.exits = Exits(options.exits, self.authority)

    @property
    def proxy_url(self) -> str:
        """What goes into the proxy pool; /__sandbox__/ is under it too."""
        return f"http://127.0.0.1:{self.server.port}"

    async def start(self) -> None:
        """Listen, then write the CA certificate."""
        port = self.options.port
        try:
            await self.server.start(port)
        except (OSError, OverflowError) as error:
            raise SandboxError(f"Port {port} cannot be used ({error}): choose another, or 0 for any.") from error
        await self.exits.start(self.server.port)
        if self.options.imap_port is not None:
            await self._open_mail(self.options.imap_port)
        if self.options.ca_file is not None:
            try:
                write_atomically(self.options.ca_file, self.authority.pem)
            except OSError as error:
                await self.stop()
                raise SandboxError(f"{self.options.ca_file} cannot be written: {error.strerror}.") from error

    async def _open_mail(self, port: int) -> None:
        server = import_module("xget_sandbox.mail.server")  # its library is loaded only where there is mail to read
        self.mail = server.MailServer(self.people.post, self.authority.context(server.HOST))
        try:
            self.imap_port = await self.mail.start(port)
        except (OSError, OverflowError) as error:
            await self.stop()
            raise SandboxError(f"Port {port} cannot be used for mail ({error}): choose another, or 0.") from error

    async def stop(self) -> None:
        """Stop listening and cut all connections."""
        if self.mail is not None:
            await self.mail.stop()
        await self.exits.stop()
        await self.server.stop()

    async def __aenter__(self) -> Sandbox:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
