"""Compare every locked package with known advisories: ``make audit``, or ``make audit ADVISORIES=folder``.

Without a folder the package indexes are asked, by pip-audit and npm audit. Both say "no known vulnerabilities" where an
index has no advisories at all (a mirror, often); so each is first asked about a version that is known to be vulnerable,
and not believed if it knows nothing of that. With a folder nothing is asked: it holds OSV records as JSON or YAML, such
as a clone of github.com/pypa/advisory-database or OSV's exports for PyPI and npm, unpacked.

Exit status: 0 no advisory is known; 1 there are some; 2 no advisory, but for an ecosystem there was no data. make ends
with 2 in both cases, and says which ("Error 1", "Error 2").
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.version import InvalidVersion, Version

from tests.supply.locks import LOCKS, ROOT, Pin, normalized, npm_pins, pins

_PIP_AUDIT = ROOT / "build/tools/bin/pip-audit"
_KNOWN = {"PyPI": Pin("PyPI", "jinja2", "2.4.1"), "npm": Pin("npm", "lodash", "4.17.11")}
"""Versions with published advisories: who knows none of them has no data."""
_SECONDS = 300


class NoDataError(Exception):
    """The advisories of an ecosystem cannot be had; the message says why."""


@dataclass(frozen=True, order=True)
class Finding:
    """An advisory that is about a locked package."""

    pin: Pin
    advisory: str
    summary: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is found and return the exit status."""
    parser = argparse.ArgumentParser(prog="make audit", description="Advisories for what is locked.")
    parser.add_argument(
        "--advisories", type=Path, help="a folder of OSV records, instead of asking the indexes"
    )
    folder = parser.parse_args(arguments).advisories
    locked = {"PyPI": sorted({pin for lock in LOCKS for pin in pins(ROOT / lock)})}
    locked["npm"] = sorted(set(npm_pins(ROOT / "package-lock.json")))
    found: list[Finding] = []
    unknown = 0
    for ecosystem, packages in locked.items():
        try:
            of_it = from_folder(folder, packages) if folder else _ASKED[ecosystem](packages)
        except NoDataError as error:
            unknown += 1
            print(f"{ecosystem}: {len(packages)} packages NOT CHECKED, there is no advisory data: {error}")
            continue
        print(f"{ecosystem}: {len(packages)} packages checked, {len(of_it)} advisories")
        found += of_it
    for one in sorted(found):
        print(f"  {one.pin.name} {one.pin.version}: {one.advisory} {one.summary}")
    return 1 if found else 2 if unknown else 0


def from_folder(folder: Path, packages: Iterable[Pin]) -> list[Finding]:
    """Return what the OSV records below a folder say about packages of one ecosystem. Raises NoDataError."""
    by_name: dict[str, list[Pin]] = {}
    for pin in packages:
        by_name.setdefault(pin.name, []).append(pin)
    ecosystem = next((pin.ecosystem for pin in packages), "")
    found: list[Finding] = []
    records = 0
    for file in sorted(path for kind in ("*.json", "*.yaml", "*.yml") for path in folder.rglob(kind)):
        text = file.read_text(encoding="utf-8")
        record = json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
        about = [one for one in _affected(record) if one.get("package", {}).get("ecosystem") == ecosystem]
        records += bool(about)
        if not about or record.get("withdrawn"):
            continue
        for affected in about:
            name = affected["package"]["name"]
            for pin in by_name.get(normalized(name) if ecosystem == "PyPI" else name, []):
                advisory = Finding(pin, str(record["id"]), str(record.get("summary", "")).strip())
                found += [advisory] if _is_affected(pin.version, affected) else []
    if not records:
        raise NoDataError(f"{folder} holds no OSV record for {ecosystem}")
    return sorted(set(found))


def _affected(record: Any) -> list[dict[str, Any]]:
    return list(record.get("affected") or []) if isinstance(record, dict) else []


def _is_affected(version: str, affected: dict[str, Any]) -> bool:
    """Source: the OSV schema, "affected[].ranges[].events": a range begins and ends with its events."""
    if version in affected.get("versions", []):
        return True
    try:
        ours = Version(version)
        for one in affected.get("ranges", []):
            if one["type"] not in {"ECOSYSTEM", "SEMVER"}:
                continue
            inside = False
            for event in one["events"]:
                kind, limit = next(iter(event.items()))
                if kind == "introduced" and (limit == "0" or ours >= Version(limit)):
                    inside = True
                elif (kind == "fixed" and ours >= Version(limit)) or (
                    kind == "last_affected" and ours > Version(limit)
                ):
                    inside = False
            if inside:
                return True
    except InvalidVersion:
        return True  # better one too many than one too few
    return False


def _ask_pypi(packages: Iterable[Pin]) -> list[Finding]:
    known = _pip_audit([_KNOWN["PyPI"]])
    if not known:
        raise NoDataError("the package index tells no advisories (it knows none for jinja2 2.4.1)")
    return _pip_audit(packages)


def _pip_audit(packages: Iterable[Pin]) -> list[Finding]:
    by_name = {(pin.name, pin.version): pin for pin in packages}
    files: list[list[str]] = []
    for name, version in by_name:  # a file may name a package once
        room = next((file for file in files if not any(line.startswith(f"{name}==") for line in file)), None)
        if room is None:
            files.append(room := [])
        room.append(f"{name}=={version}")
    with tempfile.TemporaryDirectory() as work:
        command = [str(_PIP_AUDIT), "--disable-pip", "--no-deps", "--format=json", "--progress-spinner=off"]
        for number, lines in enumerate(files):
            listed = Path(work) / f"{number}.txt"
            listed.write_text("\n".join(lines), encoding="utf-8")
            command.append(f"--requirement={listed}")
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    try:
        answered = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        why = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise NoDataError(f"pip-audit failed: {why}") from None
    skipped = [one["name"] for one in answered if "skip_reason" in one]
    if skipped:
        raise NoDataError(f"the package index does not tell about {', '.join(skipped[:3])}")
    return [
        Finding(
            by_name[normalized(one["name"]), one["version"]], advisory["id"], advisory["description"][:100]
        )
        for one in answered
        for advisory in one["vulns"]
    ]


def _ask_npm(packages: Iterable[Pin]) -> list[Finding]:
    known = _KNOWN["npm"]
    with tempfile.TemporaryDirectory() as work:
        needs = {"name": "known", "version": "1.0.0", "dependencies": {known.name: known.version}}
        entries = {"": needs, f"node_modules/{known.name}": {"version": known.version}}
        lock = {
            "name": "known",
            "version": "1.0.0",
            "lockfileVersion": 3,
            "requires": True,
            "packages": entries,
        }
        (Path(work) / "package.json").write_text(json.dumps(needs), encoding="utf-8")
        (Path(work) / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
        if not _npm_audit(Path(work), [known]):
            raise NoDataError("the registry tells no advisories (it knows none for lodash 4.17.11)")
    return _npm_audit(ROOT, packages)


def _npm_audit(folder: Path, packages: Iterable[Pin]) -> list[Finding]:
    done = subprocess.run(
        ["npm", "audit", "--package-lock-only", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    try:
        answered: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        answered = {}
    vulnerable = answered.get("vulnerabilities")
    if vulnerable is None:
        why = answered.get("message") or done.stderr.strip() or "it says nothing"
        raise NoDataError(f"npm audit failed: {why}")
    by_name = {pin.name: pin for pin in packages}
    return [
        Finding(by_name[name], str(via["url"]), str(via["title"]))
        for name, entry in vulnerable.items()
        for via in entry["via"]
        if isinstance(via, dict) and name in by_name
    ]


_ASKED = {"PyPI": _ask_pypi, "npm": _ask_npm}

if __name__ == "__main__":
    sys.exit(main())
