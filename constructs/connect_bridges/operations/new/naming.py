"""Names for code: of files, variables, constructs and placeholders, from what people call things."""

from __future__ import annotations

import keyword
import re
import unicodedata

PLACEHOLDER_LIMIT = 39
"""Characters of a placeholder, so that a line of the stack that names it twice has 110 at most."""
NAME_LIMIT = 40
"""Characters of the name of a flow in code."""
TAKEN = frozenset(
    {
        "self",
        "scope",
        "id",
        "environment",
        "instance",
        "values",
        "cdk",
        "lambda_",
        "flows",
        "constructs",
        "path",
    }
)
"""Names that the stack's module uses itself."""


def words(text: str) -> list[str]:
    """Return the words of a text in ASCII letters and digits: "Começo (VIP-Línea)" is Comeco, VIP, Linea."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.findall(r"[A-Za-z0-9]+", plain)


def pascal(text: str) -> str:
    """Return a construct's id, such as MainInbound; "" if the text has no ASCII letters."""
    return _begins(_cut([word[:1].upper() + word[1:] for word in words(text)], "", NAME_LIMIT))


def identifier(text: str) -> str:
    """Return a variable's or a file's name, such as main_inbound; "" if the text has no ASCII letters."""
    separate = [part for word in words(text) for part in _parts(word)]
    name = _begins(_cut([part.lower() for part in separate], "_", NAME_LIMIT))
    return f"{name}_" if keyword.iskeyword(name) or name in TAKEN else name


def slug(text: str) -> str:
    """Return a stack's name, such as support-line; "" if the text has no ASCII letters."""
    name = _cut([word.lower() for word in words(text)], "-", NAME_LIMIT)
    return re.sub(r"^[^a-z]+", "", name)


def shortened(name: str, kind: str, limit: int) -> str:
    """Return a placeholder's name of at most `limit` characters, which still ends in its kind."""
    if len(name) <= limit:
        return name
    return name.removesuffix(kind)[: limit - len(kind)] + kind


def unique(name: str, taken: set[str], *, limit: int | None = None) -> str:
    """Return the name, numbered if it is taken, and take it."""
    candidate, number = name, 2
    while candidate in taken:
        end = f"_{number}" if name.islower() else str(number)
        candidate = f"{name[: limit - len(end)] if limit else name}{end}"
        number += 1
    taken.add(candidate)
    return candidate


def _parts(word: str) -> list[str]:
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", word)


def _cut(parts: list[str], separator: str, limit: int) -> str:
    """Return as many parts as fit, at least a piece of the first."""
    name = parts[0][:limit] if parts else ""
    for part in parts[1:]:
        if len(name) + len(separator) + len(part) > limit:
            break
        name += separator + part
    return name


def _begins(name: str) -> str:
    """Return the name beginning with a letter, since names in code cannot begin with a digit."""
    if not name or name[0].isalpha():
        return name
    return f"Flow{name}" if any(character.isupper() for character in name) else f"flow_{name}"
