"""Keeps secrets out of a run."""

from __future__ import annotations

import json
import re
import threading

REPLACED = "[secret]"
SHORTEST = 4
"""Characters that a secret must have: anything shorter would be found in words and numbers that are none."""
_PLACE = re.compile(r"[a-z]{2}(-[a-z]+)+-\d|\d{12}|true|false|null", re.IGNORECASE)
"""Parts of a secret in JSON that stand in many an ARN, and are none: Regions and account numbers."""


class Secrets:
    """The values that no line may show: as they are, and as JSON in text writes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: tuple[str, ...] = ()  # the longest first
        self._forms: tuple[str, ...] = ()

    def add(self, value: str) -> None:
        """Keep a value out of what is written from now on; of one that is JSON, its texts as well."""
        found = {value, *_texts(value)}
        fresh = {one for one in found if len(one) >= SHORTEST}.difference(self._values)
        if not fresh:
            return
        with self._lock:
            values = sorted({*self._values, *fresh}, key=len, reverse=True)
            self._forms = tuple(dict.fromkeys(form for value in values for form in _forms(value)))
            self._values = tuple(values)

    def within(self, written: str) -> bool:
        """Tell whether a line of JSON has one of them."""
        for form in self._forms:  # noqa: SIM110  (any() costs more than most lines)
            if form in written:
                return True
        return False

    def removed(self, value: object) -> object:
        """Return JSON with each of them replaced."""
        if isinstance(value, str):
            for secret in self._values:
                for form in _texts_of(secret):
                    value = value.replace(form, REPLACED)
            return value
        if isinstance(value, dict):
            return {self.removed(key): self.removed(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.removed(item) for item in value]
        return value


def _texts(value: str) -> set[str]:
    """Return the texts within a secret that is JSON."""
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return set()
    found: set[str] = set()
    rest = [parsed]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            rest += one.values()
        elif isinstance(one, list):
            rest += one
        elif isinstance(one, str) and not _PLACE.fullmatch(one):
            found.add(one)
    return found


def _texts_of(secret: str) -> list[str]:
    """Return a secret as it stands in a text: as it is, or within JSON, and JSON within that, written in either way."""
    found = [secret]
    for plain in (False, True):
        text = secret
        for _ in range(_DEEP):
            text = json.dumps(text, ensure_ascii=plain)[1:-1]
            found.append(text)
    return sorted(set(found), key=len, reverse=True)


def _forms(secret: str) -> list[str]:
    return [json.dumps(text, ensure_ascii=False)[1:-1] for text in _texts_of(secret)]


_DEEP = 3
"""How deep JSON is looked for in the texts of JSON: a log line of an event with a body has two."""
