"""Reads `kong.yml` (declarative format 3.0) into what the embedded gateway can do, and refuses the rest by name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from xget_kernel.errors import StartupError


class Config(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of everything read from the file: an unknown field is an error, not a wish ignored."""


class Jwt(Config):
    """Kong's `jwt`: a token with a key named by `key_claim_name`."""

    key_claim_name: str = "iss"
    claims_to_verify: list[str] = []
    header_names: list[str] = msgspec.field(default_factory=lambda: ["authorization"])


class RateLimiting(Config):
    """Kong's `rate-limiting` in fixed windows. Where Redis is comes from REDIS_URL; `redis` is for Kong itself."""

    second: int | None = None
    minute: int | None = None
    hour: int | None = None
    policy: str = "local"
    redis: dict[str, Any] = {}
    limit_by: str = "consumer"
    fault_tolerant: bool = True


class CorrelationId(Config):
    """Kong's `correlation-id`."""

    header_name: str = "Kong-Request-ID"
    generator: str = "uuid#counter"
    echo_downstream: bool = False


class RequestSizeLimiting(Config):
    """Kong's `request-size-limiting`."""

    allowed_payload_size: int = 128
    size_unit: str = "megabytes"
    require_content_length: bool = False

    @property
    def limit_bytes(self) -> int:
        """The cap in bytes."""
        return self.allowed_payload_size * {"megabytes": 1_000_000, "kilobytes": 1_000, "bytes": 1}[self.size_unit]


PLUGINS: dict[str, type[Config]] = {
    "jwt": Jwt,
    "rate-limiting": RateLimiting,
    "correlation-id": CorrelationId,
    "request-size-limiting": RequestSizeLimiting,
}
"""What the embedded gateway can do, by Kong's name of the plugin."""


class _Plugin(Config):
    name: str
    config: dict[str, Any] = {}
    enabled: bool = True


class _Route(Config):
    name: str
    paths: list[str]
    methods: list[str] = []
    strip_path: bool = True
    plugins: list[_Plugin] = []


class _Service(Config):
    name: str
    url: str
    routes: list[_Route] = []
    plugins: list[_Plugin] = []


class _File(Config, rename={"format_version": "_format_version", "transform": "_transform"}):
    format_version: str
    transform: bool = True
    services: list[_Service] = []
    plugins: list[_Plugin] = []


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One way in: where it leads and which plugins apply (route over service over global, as in Kong)."""

    name: str
    service: str
    path: str
    methods: frozenset[str]
    plugins: dict[str, Config]

    def matches(self, path: str, method: str) -> bool:
        """True when a request belongs here."""
        return path.startswith(self.path) and (not self.methods or method in self.methods)


class GatewayConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file, ready to be asked."""

    routes: list[Route]
    """Longest path first, as Kong chooses."""
    upstreams: dict[str, int]
    """Port of each service as the file names it."""
    plugins: dict[str, Config]
    """Plugins that hold for every request, even for one that matches no route."""

    def find(self, path: str, method: str) -> Route | None:
        """The route of a request, or None."""
        return next((route for route in self.routes if route.matches(path, method)), None)


def default_path() -> Path:
    """The file in the installed package, or in the tree when run from a checkout."""
    packaged = Path(__file__).with_name("kong.yml")
    return packaged if packaged.exists() else Path(__file__).resolve().parents[5] / "gateway" / "kong.yml"


def load_chosen() -> GatewayConfig:
    """The declaration that XGET_KONG_CONFIG names, or the packaged one. Raises StartupError as `load` does."""
    return load(Path(os.environ.get("XGET_KONG_CONFIG") or default_path()))


def load(path: Path) -> GatewayConfig:
    """Read the file. Raises StartupError with the place and the fix for anything that cannot be done as written."""
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
        parsed = msgspec.convert(raw, _File)
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(
            f"{path.name} cannot be read: {error}. Point XGET_KONG_CONFIG at a readable file."
        ) from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise StartupError(f"{path.name} is not YAML{line}: mend it or restore the file of the release.") from error
    except msgspec.ValidationError as error:
        raise StartupError(f"{path.name}: {error}. Mend that field, or take it out.") from error
    if parsed.format_version != "3.0":
        raise StartupError(f'{path.name}: _format_version is {parsed.format_version!r}, this gateway reads "3.0".')
    return _assemble(parsed, path.name)


def _assemble(parsed: _File, name: str) -> GatewayConfig:
    everywhere = _plugins(parsed.plugins, name, "plugins")
    routes = []
    for service in parsed.services:
        of_service = _plugins(service.plugins, name, f"service {service.name}")
        for route in service.routes:
            if route.strip_path:
                raise StartupError(f"{name}: route {route.name} strips its path; write strip_path: false.")
            merged = {**everywhere, **of_service, **_plugins(route.plugins, name, f"route {route.name}")}
            routes += [_route(service, route, path, merged, name) for path in route.paths]
    if not routes:
        raise StartupError(f"{name} declares no route: nothing could be reached through the gateway.")
    ports = {service.name: _port(service, name) for service in parsed.services}
    return GatewayConfig(routes=sorted(routes, key=lambda r: -len(r.path)), upstreams=ports, plugins=everywhere)


def _route(service: _Service, route: _Route, path: str, plugins: dict[str, Config], name: str) -> Route:
    if not re.fullmatch(r"/[\w./-]*", path):
        raise StartupError(
            f"{name}: route {route.name}: path {path!r} is no plain prefix; the embedded gateway needs one."
        )
    methods = frozenset(method.upper() for method in route.methods)
    return Route(name=route.name, service=service.name, path=path, methods=methods, plugins=plugins)


def _port(service: _Service, name: str) -> int:
    try:
        port = urlsplit(service.url).port
    except ValueError:
        port = None
    if port is None:
        raise StartupError(f"{name}: service {service.name}: url {service.url!r} has no port.")
    return port


def _plugins(declared: list[_Plugin], name: str, where: str) -> dict[str, Config]:
    made: dict[str, Config] = {}
    for plugin in declared:
        kind = PLUGINS.get(plugin.name)
        if kind is None:
            known = ", ".join(sorted(PLUGINS))
            raise StartupError(
                f"{name}: {where}: plugin {plugin.name!r} is not known to the embedded gateway ({known}). "
                "Take it out, or run Kong itself."
            )
        if not plugin.enabled:
            continue
        try:
            made[plugin.name] = msgspec.convert(plugin.config, kind)
        except msgspec.ValidationError as error:
            raise StartupError(f"{name}: {where}: plugin {plugin.name}: {error}.") from error
        _check(made[plugin.name], name, where)
    return made


def _check(plugin: Config, name: str, where: str) -> None:
    wrong = None
    if isinstance(plugin, RateLimiting) and (
        plugin.policy not in {"local", "redis"} or plugin.limit_by not in {"ip", "consumer"}
    ):
        wrong = "rate-limiting works with policy local or redis and limit_by ip or consumer here"
    if isinstance(plugin, RequestSizeLimiting) and plugin.size_unit not in {"megabytes", "kilobytes", "bytes"}:
        wrong = "size_unit is megabytes, kilobytes or bytes"
    if isinstance(plugin, Jwt) and (plugin.key_claim_name != "kid" or plugin.header_names != ["authorization"]):
        wrong = "jwt works with key_claim_name kid and the authorization header here"
    if isinstance(plugin, CorrelationId) and plugin.generator != "uuid":
        wrong = "correlation-id works with generator uuid here"
    if wrong:
        raise StartupError(f"{name}: {where}: {wrong}.")
