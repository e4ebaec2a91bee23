"""What a login page shows now, whoever's it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from playwright.async_api import Error, Page

PICTURE_MS: Final = 15_000
"""So long a picture may take; a machine that is busy needs seconds."""
LOOK: Final = """() => {
  const seen = (selector) => [...document.querySelectorAll(selector)].some((e) => e.getClientRects().length > 0);
  const text = (selector) => [...document.querySelectorAll(selector)].map((e) => e.innerText).join(' ').trim();
  return {
    url: location.href,
    text: ((document.body && document.body.innerText) || '').slice(0, 3000),
    toast: text('[data-testid="toast"], [jsname="B34EJ"], [jsname="Ekjuhf"]'),
    captcha: seen('#arkoseFrame, #captchaimg, ' +
      ['arkoselabs', 'recaptcha', 'hcaptcha'].map((name) => 'iframe[src*="' + name + '"]').join(', ')),
    identifier: seen('input[autocomplete~="username"]:not([type="email"])'),
    password: seen('input[name="password"]'),
    challenge: seen('input[data-testid="ocfEnterTextTextInput"]'),
    google_identifier: seen('#identifierId'),
    google_password: seen('input[name="Passwd"]'),
    google_code: seen('input[name="totpPin"]'),
  };
}"""
BLANK: Final = """(typed) => {
  document.querySelectorAll('input, textarea, [contenteditable]').forEach((e) => {
    if (e.isContentEditable) e.textContent = ''; else { e.value = ''; e.removeAttribute('value'); }
  });
  const texts = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) typed.forEach((secret) => {
    const node = texts.currentNode;
    if (node.data.includes(secret)) node.data = node.data.split(secret).join('********');
  });
}"""
"""Empties every input, and what was typed wherever else a page shows it."""


@dataclass(frozen=True)
class Sight:
    """What can be seen; `fields` are the inputs by the words of LOOK."""

    url: str
    text: str
    toast: str
    captcha: bool
    fields: frozenset[str]

    def says(self, *words: str) -> bool:
        """Whether one of the words stands on the page or in its error message."""
        whole = f"{self.text} {self.toast}".casefold()
        return any(word in whole for word in words)


async def look(page: Page) -> Sight | None:
    """The page as it is; None while it is between two."""
    try:
        seen: dict[str, Any] = await page.evaluate(LOOK)
    except Error:
        if page.is_closed():
            raise
        return None
    fields = {name for name, value in seen.items() if value is True and name != "captcha"}
    return Sight(seen["url"], seen["text"], seen["toast"], bool(seen["captcha"]), frozenset(fields))


async def picture(page: Page, path: str, typed: Sequence[str]) -> str | None:
    """Save the page as it looks, every input blanked and what was typed masked; the path, or None when it cannot be."""
    try:
        for frame in page.frames:
            await frame.evaluate(BLANK, list(typed))
        await page.screenshot(path=path, mask=[page.locator("input, textarea")], timeout=PICTURE_MS)
    except (Error, OSError):
        return None
    return path
