"""The topics that XGet has, as `proto/topics` declares them."""

from __future__ import annotations

from importlib import resources

import msgspec

from xget_events.log import TopicSpec


def load_topics() -> list[TopicSpec]:
    """All topics by name, without their `.dlq`, from the data that ships with xget_contracts."""
    text = resources.files("xget_contracts").joinpath("topics.json").read_bytes()
    return msgspec.json.decode(text, type=list[TopicSpec])
