"""What somebody at a terminal types, as scenario files write it."""

from __future__ import annotations


def move_of(text: str, *, chat: bool) -> dict[str, str] | str:
    """Return what somebody at a terminal means, as scenario files write it.

    Keys of a telephone are pressed, other words are said; nothing is silence. In a chat everything is written.
    """
    text = text.strip()
    if not text:
        return "stays silent"
    if not chat and not set(text) - set("0123456789*#"):
        return {"presses": text}
    return {"says": text}
