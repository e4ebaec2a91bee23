"""Composing one post's text with its marks, the way X counts them."""

from __future__ import annotations

import html
from random import Random

from xget_sandbox.world.ids import snowflake
from xget_sandbox.world.model import Author, Mark, Media, MediaType, Poll, Preview
from xget_sandbox.world.topics import Phrases

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
SITES = (
    ("https://www.nature.example.com/articles/s41586-{n}", "Nature"),
    ("https://arxiv.example.org/abs/2607.{n}", "arXiv"),
    ("https://news.example.net/2026/07/story-{n}?ref=x&lang=en", "The Example Times"),
    ("https://github.example.com/lab/tool/releases/{n}", "Releases"),
    ("https://xinwen.example.cn/keji/{n}.html", "科技新闻"),
)


def token(rng: Random, length: int = 10) -> str:
    """Random letters as in X's short links and media names."""
    return "".join(rng.choices(LETTERS, k=length))


class Draft:
    """A text in the making; keeps the marks' indices right."""

    def __init__(self) -> None:
        self.text = ""
        self.marks: list[Mark] = []

    def say(self, plain: str) -> None:
        """Add words; cashtags in them are marked."""
        for index, word in enumerate(plain.split(" ")):
            if index:
                self.text += " "
            bare = word.rstrip(".,!?")
            start = len(self.text)
            if len(bare) > 1 and bare[0] == "$" and bare[1:].isalpha():
                self.marks.append(Mark("symbol", start, start + len(bare), bare[1:]))
            self.text += html.escape(word, quote=False)

    def hashtag(self, word: str) -> None:
        """Add a hashtag after a blank."""
        self._mark("hashtag", f"#{word}", word)

    def mention(self, author: Author) -> int:
        """Add a mention; returns the index after it and its blank, where a reply's shown text begins."""
        start = len(self.text)
        shown = f"@{author.handle}"
        self.text += f"{shown} "
        self.marks.append(Mark("mention", start, start + len(shown), author.handle, author_id=author.id))
        return len(self.text)

    def link(self, tco: str, expanded: str) -> None:
        """Add a t.co link after a blank."""
        bare = expanded.removeprefix("https://").removeprefix("www.")
        display = bare if len(bare) <= 27 else bare[:26] + "…"
        self._mark("link", tco, tco, expanded=expanded, display=display)

    def _mark(self, kind: str, shown: str, value: str, *, expanded: str = "", display: str = "") -> None:
        if self.text and not self.text.endswith((" ", "\n")):
            self.text += " "
        start = len(self.text)
        self.text += shown
        if kind == "hashtag":
            self.marks.append(Mark("hashtag", start, len(self.text), value))
        else:
            self.marks.append(Mark("link", start, len(self.text), value, expanded=expanded, display=display))


def body(draft: Draft, phrases: Phrases, topic: str, rng: Random, *, long: bool) -> None:
    """Sentences, now and then a closing remark, and hashtags; the topic's own hashtag on every Chinese climate post."""
    count = rng.randint(9, 14) if long else 1
    parts = [phrases.sentence(topic, rng) for _ in range(count)]
    if rng.random() < 0.6:
        parts.append(phrases.closer(rng))
    glue = "\n\n" if long else phrases.joiner
    draft.say(glue.join(parts))
    tags = list(phrases.hashtags(topic))
    if phrases.joiner == "" and topic == "climate":
        draft.hashtag(tags.pop(0))
    if rng.random() < 0.35:
        draft.hashtag(rng.choice(tags))


def web_link(draft: Draft, rng: Random) -> Preview | None:
    """A link to some site; half of them show a summary card."""
    pattern, title = rng.choice(SITES)
    expanded = pattern.format(n=rng.randint(10_000, 99_999))
    tco = f"https://t.co/{token(rng)}"
    draft.link(tco, expanded)
    if rng.random() < 0.5:
        return None
    domain = expanded.split("/")[2].removeprefix("www.")
    return Preview(f"{title}: {rng.randint(2, 90)} things to know", f"Read on {domain}.", domain, tco)


def make_media(at_ms: int, rng: Random) -> tuple[Media, ...]:
    """One to four photos, or a video, or a GIF."""
    kind: MediaType = rng.choices(("photo", "video", "animated_gif"), weights=(7, 2, 1))[0]
    count = rng.choices((1, 2, 3, 4), weights=(7, 2, 1, 1))[0] if kind == "photo" else 1
    tco = f"https://t.co/{token(rng)}"
    width, height = rng.choice(((1600, 900), (1080, 1080), (1280, 720), (1125, 2000)))
    duration = rng.randint(4_000, 140_000) if kind == "video" else 0
    numbers = [snowflake(at_ms - 9_000, rng.getrandbits(22) & ~7 | index) for index in range(count)]
    return tuple(Media(number, kind, token(rng, 15), tco, width, height, duration) for number in numbers)


def make_poll(rng: Random) -> Poll:
    """Two to four options with votes."""
    labels = rng.sample(("Yes", "No", "Maybe", "支持", "反对", "Show results"), rng.randint(2, 4))
    return Poll(tuple((label, rng.randint(0, 9_000)) for label in labels), rng.choice((60, 1440, 4320)))
