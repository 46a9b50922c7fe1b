"""The mark of what was tolerated instead of deployed: whoever meets it knows that nothing is behind it."""

from __future__ import annotations

import re

_MARKED = re.compile(r"arn:aws:not-rehearsed:[\w-]*:\d*:([\w-]+):(\w+)(?::[\w.]+)?")


def mark(account: str, region: str, stack: str, logical_id: str, attribute: str = "") -> str:
    """Return what stands for a resource, or one of its attributes, that was not made."""
    return f"arn:aws:not-rehearsed:{region}:{account}:{stack}:{logical_id}" + (
        f":{attribute}" if attribute else ""
    )


def marked(text: str) -> tuple[str, str] | None:
    """Return (stack, logical id) of the first resource in a text that was not made; None if there is none."""
    found = _MARKED.search(text)
    return None if found is None else (found[1], found[2])


def unmarked(text: str) -> str:
    """Return the text with a flow's placeholder for each resource that was not made: as valid as what it would be."""
    return _MARKED.sub("${NotRehearsed}", text)
