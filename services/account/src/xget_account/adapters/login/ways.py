"""Which way to log in fits an account."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from xget_account.adapters.login.mail import MailHosts
from xget_account.adapters.login.twscrape import TwscrapeFlow
from xget_account.ports import LoginFlow
from xget_account.settings import Settings
from xget_kernel.errors import StartupError

if TYPE_CHECKING:  # loaded when a browser is needed: Playwright is large
    from xget_account.adapters.login.browser import BrowserFlow


class Ways:
    """Chooses the flow of a try; there is one browser. Raises StartupError when XGET_IMAP_HOSTS is no such list."""

    def __init__(self, settings: Settings) -> None:
        try:
            MailHosts.parse(settings.imap_hosts)
        except ValueError as error:
            raise StartupError(str(error)) from error
        self._settings = settings
        self._browser: BrowserFlow | None = None

    def flow(self, method: str, login_method: str) -> LoginFlow:
        """For what was asked for (`auto`, `browser`, `flow`) and the account's login_method."""
        settings = self._settings
        wanted = settings.login_with if method == "auto" else method
        if login_method == "GOOGLE" or wanted == "browser" or (wanted == "auto" and self._found()):
            return self.browser
        return TwscrapeFlow(settings.imap_hosts, settings.login_code_seconds)

    def tidy(self) -> None:
        """Remove what the browsers of killed workers may have left."""
        import_module("xget_account.adapters.login.browser").sweep()

    @property
    def browser(self) -> BrowserFlow:
        """The browser, made when it is needed first."""
        if self._browser is None:
            module = import_module("xget_account.adapters.login.browser")
            settings = self._settings
            rules = module.BrowserRules(
                home=settings.home,
                program=settings.chromium,
                memory_mb=settings.login_memory_mb,
                imap_hosts=settings.imap_hosts,
                code_seconds=settings.login_code_seconds,
            )
            self._browser = cast("BrowserFlow", module.BrowserFlow(rules))
        return self._browser

    def _found(self) -> bool:
        finding = import_module("xget_sources.browser.finding")
        try:
            finding.find_chromium(self._settings.chromium)
        except finding.NoChromium:
            return False
        return True
