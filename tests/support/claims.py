"""Sentences of pages and docstrings that say how long, how often or how many times something holds."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

_NUMBER = r"(?:\d[\d,.]*|an?|one|two|three|four|five|six|seven|eight|nine|ten|fifteen|thirty|fifty|some)"
_UNIT = r"(?:m?s|seconds?|minutes?|hours?|days?|weeks?|months?|years?|times|tries|attempts|retries)"
HOW_LONG = re.compile(
    rf"\b(?!an? seconds?\b){_NUMBER}[ -](?:(?:failed|further|more) )?{_UNIT}\b|\b\d[\d,]* a second\b"
    r"|\b(?:daily|twice|thrice)\b|\b(?:answered|asked|exactly|most|turn|used) once\b",
    re.IGNORECASE,
)
ABOUT = re.compile(
    r"\b(?:tokens?|secrets?|credentials?|rotat\w+|(?:un)?lock(?:s|ed|out)?|retr(?:y|ies|ied)|tr(?:y|ies|ied)|"
    r"again|repeat\w*|eras\w+|delet\w+|forg[eo]t\w*|expir\w+|valid|time[ -]?(?:out|limit)s?|timed|deadline|"
    r"log(?:s|ged|ging)?|codes?|proofs?|recordings?|retention|kept|keeps?|cache\w*|throttl\w+|consent|"
    r"enrol\w+|sweeps?|guess\w*|replay\w*|wait\w*|limits?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sentence:
    """A sentence with the place where it stands."""

    where: str
    text: str

    def times(self) -> list[re.Match[str]]:
        """Return what it says of times and counts, if that is about what we promise."""
        return list(HOW_LONG.finditer(self.text)) if ABOUT.search(self.text.replace("_", " ")) else []

    def left_open_by(self, phrases: list[str]) -> list[str]:
        """Return those of its times that stand in none of the phrases."""
        covered = [
            (match.start(), match.end())
            for phrase in phrases
            for match in re.finditer(re.escape(phrase), self.text)
        ]
        return [
            one[0]
            for one in self.times()
            if not any(begin <= one.start() and one.end() <= end for begin, end in covered)
        ]


def sentences(where: str, text: str) -> list[Sentence]:
    """Return the sentences of Markdown; a row of a table is one, code blocks have none."""
    text = re.sub(r"^[ \t]*```.*?^[ \t]*```$", "\n\n", text, flags=re.DOTALL | re.MULTILINE)
    parts: list[str] = []
    for block in re.split(r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*|]|\d+\.) ?)", text):
        one = " ".join(block.split())
        parts += [one] if one.startswith("|") else re.split(r"(?<=[.!?])[*`]* (?=[A-Z*`\[(])", one)
    return [Sentence(where, part) for part in parts if part]


def docstrings(path: Path) -> str:
    """Return what a module says of its public parts: docstrings, and texts below attributes."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found += [ast.get_docstring(node) or ""] if node.name == "__init__" or node.name[0] != "_" else []
        elif isinstance(node, ast.Module) or (isinstance(node, ast.ClassDef) and node.name[0] != "_"):
            found += [
                one.value.value
                for one in node.body
                if isinstance(one, ast.Expr)
                and isinstance(one.value, ast.Constant)
                and isinstance(one.value.value, str)
            ]
    return "\n\n".join(found)
