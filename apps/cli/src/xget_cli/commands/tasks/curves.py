"""Ages at which posts are seen again, as one option."""

from __future__ import annotations


def ages(given: str | None) -> list[str] | None:
    """`1h,6h,1d` as a task's body says it; what is wrong with it says the answer."""
    return None if given is None else [age.strip() for age in given.split(",")]
