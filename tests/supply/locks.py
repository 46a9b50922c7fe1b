"""The lock files: which package in which version, with which hashes. Standard library only."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-tools.txt",
    "runtime/requirements.txt",
    "runtime/biometrics/requirements.txt",
    ".github/requirements-release.txt",
)
_PIN = re.compile(
    r"^(?P<name>[\w.-]+)(\[[\w,.-]+\])?==(?P<version>[^\s;\\]+)(?P<marker> ; [^\\\n]+)?"
    r"(?P<hashes>( \\\n    --hash=sha256:[0-9a-f]{64})*)$",
    re.MULTILINE,
)


@dataclass(frozen=True, order=True)
class Pin:
    """A locked package; ``hashes`` are the SHA-256 of the files that may be installed."""

    ecosystem: str
    name: str
    version: str
    hashes: tuple[str, ...] = ()
    marker: str = ""


def pins(lock: Path) -> list[Pin]:
    """Return what a requirements file locks, names normalized. A line that pins nothing raises ValueError."""
    text = lock.read_text(encoding="utf-8")
    found = list(_PIN.finditer(text))
    rest = [
        line for line in _PIN.sub("", text).splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    if rest:
        raise ValueError(
            f"{lock}: {rest[0]!r} is no pinned package with hashes; write the file with make lock"
        )
    return [
        Pin(
            "PyPI",
            normalized(one["name"]),
            one["version"],
            tuple(re.findall(r"[0-9a-f]{64}", one["hashes"])),
            (one["marker"] or "").removeprefix(" ; "),
        )
        for one in found
    ]


def npm_pins(lock: Path) -> list[Pin]:
    """Return what a package-lock.json (version 2 or 3) locks; what is bundled has the hash of what it comes in."""
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]

    def integrity(place: str) -> str:
        entry = packages[place]
        return str(
            integrity(place.rpartition("/node_modules/")[0])
            if entry.get("inBundle")
            else entry.get("integrity", "")
        )

    return [
        Pin("npm", place.rpartition("node_modules/")[2], entry["version"], (integrity(place),))
        for place, entry in packages.items()
        if place
    ]


def normalized(name: str) -> str:
    """Return a package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
