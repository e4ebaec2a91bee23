"""Topics and how often they come up. Shares are exact per world, not drawn, so that queries have known sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

# More than half of all posts (reposts included) say "climate", so that 4,000 posts hold 2,000 matches of one word.
SHARES: Mapping[str, float] = {
    "climate": 0.57,
    "ai": 0.24,
    "quantum": 0.08,
    "football": 0.05,
    "space": 0.04,
    "markets": 0.02,
}


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language's way of talking: patterns with {slots}, words for the slots, closing remarks."""

    fill: Mapping[str, tuple[str, ...]]
    closing: tuple[str, ...]
    joiner: str
    topics: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]

    def sentence(self, topic: str, rng: Random) -> str:
        """One sentence on the topic."""
        patterns, _ = self.topics[topic]
        words = {slot: rng.choice(choices) for slot, choices in self.fill.items()}
        sentence = rng.choice(patterns).format(n=rng.randint(3, 980), pct=rng.randint(11, 97), **words)
        return sentence[0].upper() + sentence[1:]

    def closer(self, rng: Random) -> str:
        """A remark that ends a post."""
        return rng.choice(self.closing)

    def hashtags(self, topic: str) -> tuple[str, ...]:
        """The topic's hashtags, the defining one first."""
        return self.topics[topic][1]


def topic_deck(count: int, rng: Random) -> list[str]:
    """`count` topics in their exact shares, shuffled."""
    deck = [topic for topic, share in SHARES.items() for _ in range(round(count * share))]
    deck += ["climate"] * (count - len(deck))
    del deck[count:]
    rng.shuffle(deck)
    return deck
