"""What the account service says no with."""

from __future__ import annotations

from datetime import datetime

from xget_kernel.errors import (
    Conflict,
    FieldError,
    Invalid,
    NotFound,
    PreconditionFailed,
    TooMany,
    Unavailable,
)


class AccountNotFound(NotFound):
    """Missing, or somebody else's: the sentence is the same for both."""

    code = "account_not_found"
    title = "No such account"

    def __init__(self) -> None:
        super().__init__("There is no such account: list yours with GET /api/v1/accounts.")


class AccountExists(Conflict):
    code = "account_exists"
    title = "Account exists already"

    def __init__(self, username: str) -> None:
        super().__init__(
            f"You have an account {username} of this platform already: change that one with PUT, or import it again.",
            errors=[FieldError("username", "unique", "Is taken by another account of yours.")],
        )


class BadLineFormat(Invalid):
    code = "bad_line_format"
    title = "Bad line format"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, errors=[FieldError("line_format", "line_format", sentence)])


class UnknownProxy(Invalid):
    code = "unknown_proxy"
    title = "Unknown proxy"

    def __init__(self) -> None:
        sentence = "You have no proxy with this id: list yours with GET /api/v1/proxies."
        super().__init__(sentence, errors=[FieldError("proxy_id", "exists", sentence)])


class ProxiesUnavailable(Unavailable):
    code = "proxies_unavailable"
    title = "Proxy service unavailable"

    def __init__(self) -> None:
        super().__init__("The proxy service does not answer, so proxy_id cannot be checked: try again in a moment.")


class NeedsCookies(Invalid):
    code = "needs_cookies"
    title = "Cookies needed"

    def __init__(self, sentence: str, field: str = "cookies") -> None:
        super().__init__(sentence, errors=[FieldError(field, "cookies", sentence)])


class NoApiAccount(Conflict):
    code = "no_api_account"
    title = "Not an account of an official API"

    def __init__(self) -> None:
        super().__init__("This account is not one of an official API: make one with platform x_api.")


class BadRequestField(Invalid):
    code = "bad_field"
    title = "Bad request"

    def __init__(self, field: str, rule: str, sentence: str) -> None:
        super().__init__(sentence, errors=[FieldError(field, rule, sentence)])


class NoUsableAccount(NotFound):
    """The owner has no account that could ever be leased as things are; the sentence says why."""

    code = "no_usable_account"
    title = "No usable account"


class NoAccountNow(TooMany):
    """Accounts exist, none has room now: `available-at` says when one will, `then` how many within that minute."""

    code = "no_account_now"
    title = "No account has room now"

    def __init__(self, available_at: datetime, accounts: int, then: int, waits_for: str, *, retry_after: int) -> None:
        moment = available_at.isoformat().replace("+00:00", "Z")
        super().__init__(
            f"None of {accounts} healthy accounts has room now ({waits_for}): {then} will at {moment}.",
            retry_after=retry_after,
            headers={"available-at": moment, "accounts": str(accounts), "then": str(then), "waits-for": waits_for},
        )
        self.available_at = available_at
        self.accounts, self.then, self.waits_for = accounts, then, waits_for
        self.pools: frozenset[str] = frozenset()
        """Pools of others that might do as well."""


class IllegalMove(Conflict):
    code = "illegal_move"
    title = "No such change of state"

    def __init__(self, source: str, target: str, by: str) -> None:
        fix = " Take it into use again first, with POST /api/v1/accounts/{id}/revive." if source == "RETIRED" else ""
        super().__init__(f"An account that is {source} does not become {target} by {by}.{fix}")


class PlaybookRefused(Invalid):
    code = "bad_playbook"
    title = "This is no playbook"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, errors=[FieldError("text", "playbook", sentence)])


class LeaseLost(PreconditionFailed):
    code = "lease_lost"
    title = "The lease is not the newest"

    def __init__(self) -> None:
        super().__init__("This lease is over: the account was given back or leased again. Acquire a new lease.")


class LoginUnderWay(Conflict):
    code = "login_under_way"
    title = "A login is under way"

    def __init__(self) -> None:
        super().__init__("This account is logging in already: follow it with GET /api/v1/accounts/{id}/logins.")


class LoginImpossible(Invalid):
    code = "login_impossible"
    title = "This account cannot log in by itself"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, errors=[FieldError("login_method", "login", sentence)])


class TicketVoid(Conflict):
    code = "ticket_void"
    title = "The ticket is void"

    def __init__(self) -> None:
        super().__init__("This ticket was used, has run out or is not of this account: begin again to get a new one.")


class LoginCapReached(TooMany):
    code = "login_cap"
    title = "No more logins today"

    def __init__(self, cap: int, until: datetime, now: datetime) -> None:
        super().__init__(
            f"This account has tried to log in {cap} times today (UTC), which is the cap: more would look like an "
            "attack. Wait for tomorrow, or import the cookies of a browser.",
            retry_after=max(1, int((until - now).total_seconds())),
        )
