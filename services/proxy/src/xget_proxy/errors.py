"""What the proxy service says no with."""

from __future__ import annotations

from collections.abc import Mapping

from xget_kernel.errors import Conflict, FieldError, Invalid, NotFound, Unavailable


class ProxyNotFound(NotFound):
    """Missing, or somebody else's: the sentence is the same for both."""

    code = "proxy_not_found"
    title = "No such proxy"

    def __init__(self) -> None:
        super().__init__("There is no such proxy: list yours with GET /api/v1/proxies.")


class ProxyExists(Conflict):
    code = "proxy_exists"
    title = "Proxy exists already"

    def __init__(self) -> None:
        super().__init__(
            "You have a proxy with this type, ip, port and username already: change that one with PUT.",
            errors=[FieldError("ip", "unique", "Is taken by another proxy of yours.")],
        )


class NoProxyNow(NotFound):
    """There is no proxy to hand out; metadata `any_exists` tells none at all from all resting."""

    code = "no_proxy"
    title = "No proxy to use"

    def __init__(self, detail: str, *, any_exists: bool, more: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, headers={"any_exists": "true" if any_exists else "false", **(more or {})})


class ProviderNotFound(NotFound):
    """Missing, or somebody else's."""

    code = "proxy_provider_not_found"
    title = "No such provider"

    def __init__(self) -> None:
        super().__init__("There is no such provider: list yours with GET /api/v1/proxies/providers.")


class ProviderExists(Conflict):
    code = "proxy_provider_exists"
    title = "Provider exists already"

    def __init__(self) -> None:
        super().__init__(
            "You have a provider of this name: choose another, or delete that one.",
            errors=[FieldError("name", "unique", "Is taken by another provider of yours.")],
        )


class ListUnreadable(Unavailable):
    """A provider's list could not be taken."""

    code = "proxy_list_unreadable"
    title = "List cannot be read"


class BadRequestField(Invalid):
    code = "bad_field"
    title = "Bad request"

    def __init__(self, field: str, rule: str, sentence: str) -> None:
        super().__init__(sentence, errors=[FieldError(field, rule, sentence)])


class InsideNetwork(Invalid):
    """The proxy sits inside the operator's own network, and nobody allowed that."""

    code = "proxy_inside_network"
    title = "Proxy inside the own network"

    def __init__(self, host: str, field: str = "ip") -> None:
        sentence = (
            f"{host} lies inside the operator's own network or on no public address: an operator may allow it with "
            "allow_internal (`--internal`), or for all proxies with XGET_PROXY_ALLOW_NETWORKS."
        )
        super().__init__(sentence, errors=[FieldError(field, "internal", sentence)])


class HostUnknown(NotFound):
    """The proxy's name resolves to no address now."""

    code = "proxy_host_unknown"
    title = "Unknown host"

    def __init__(self, host: str) -> None:
        super().__init__(f"The name {host} resolves to no address now.")


class BadProvider(BadRequestField):
    """A URL that lists may not come from."""

    code = "bad_provider"
    title = "Provider not allowed"
