"""Write a CycloneDX bill of materials for each wheel and each function bundle: ``make sbom``.

build/sbom/NAME-VERSION.whl.cdx.json says what a wheel needs, as declared, with the version that it was tested with;
build/sbom/function-MODULE.cdx.json says what is in a function's zip: our modules and the locked packages, by hash.
The same sources give the same bytes: no date, and a serial number that is made of the contents.
Source: CycloneDX 1.6, ECMA-424.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from connect_bridges.shared.bundling import bundle_zip, lock_files, source_closure
from packaging.markers import default_environment
from packaging.requirements import Requirement

from tests.supply.locks import ROOT, Pin, normalized, pins

PROJECTS = (
    "pyproject.toml",
    "packages/connect-flows/pyproject.toml",
    "packages/connect-sandbox/pyproject.toml",
)
_RUNTIME = ROOT / "runtime"
_PYTHON = "python3.14"
_NAMESPACE = uuid.UUID("5b0f9e0e-2f4e-5d0a-9f59-0c6f9d7a1c55")  # ours alone

_HERE = {name: str(value) for name, value in default_environment().items()}

Json = dict[str, Any]


def main() -> int:
    """Write all of them and print where they are."""
    folder = ROOT / "build" / "sbom"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.cdx.json"):
        old.unlink()
    for name, document in every():
        (folder / f"{name}.cdx.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"{len(list(folder.glob('*.cdx.json')))} bills of materials in {folder.relative_to(ROOT)}")
    return 0


def every() -> Iterable[tuple[str, Json]]:
    """Yield the name and the bill of materials of each wheel and each function's zip."""
    for project in PROJECTS:
        declared = tomllib.loads((ROOT / project).read_text(encoding="utf-8"))["project"]
        yield f"{declared['name'].replace('-', '_')}-{declared['version']}.whl", of_wheel(declared)
    for module in handlers():
        yield f"function-{module}", of_function(module)


def handlers() -> list[str]:
    """Return the modules of runtime/ that Lambda invokes, such as ``chat.start``."""
    return sorted(
        ".".join(file.relative_to(_RUNTIME).with_suffix("").parts)
        for file in _RUNTIME.rglob("*.py")
        if re.search(r"^def handler\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    )


def of_wheel(project: Json) -> Json:
    """Return the bill of materials of a distribution; ``project`` is the table of its pyproject.toml."""
    subject = _subject("library", project["name"], project["version"])
    ours = {tomllib.loads((ROOT / one).read_text(encoding="utf-8"))["project"]["name"] for one in PROJECTS}
    known = {pin.name: pin for pin in pins(ROOT / "requirements-dev.txt") if _counts(pin)}
    components: dict[str, Json] = {}
    graph: dict[str, set[str]] = {}
    waiting = [(subject["bom-ref"], Requirement(text)) for text in project.get("dependencies", [])]
    while waiting:
        dependent, needed = waiting.pop()
        name = normalized(needed.name)
        version = project["version"] if name in ours else known[name].version
        component = _package(name, version)
        ref = component["bom-ref"]
        graph.setdefault(dependent, set()).add(ref)
        if dependent == subject["bom-ref"]:
            asked = [{"name": "connect-bridges:requires", "value": str(needed.specifier) or "any"}]
            component["properties"] = asked
        new = ref not in components
        components[ref] = components.get(ref, {}) | component
        if new:
            waiting += [(ref, each) for each in _needs(name, needed.extras)]
    return _document(subject, list(components.values()), graph)


def of_function(module: str) -> Json:
    """Return the bill of materials of a function's zip, for Python 3.14 on arm64."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    subject = _subject("application", f"connect-bridges/{module}", version)
    archive = hashlib.sha256(bundle_zip(module, _PYTHON).read_bytes()).hexdigest()
    subject["hashes"] = [{"alg": "SHA-256", "content": archive}]
    locked = [pin for lock in lock_files(module) for pin in pins(lock)]
    packages = [_package(pin.name, pin.version, pin) for pin in locked]
    refs = {pin.name: package["bom-ref"] for pin, package in zip(locked, packages, strict=True)}
    files = [_file(path) for path in source_closure(module)]
    graph = {subject["bom-ref"]: {*refs.values(), *(one["bom-ref"] for one in files)}}
    for pin in locked:
        graph[refs[pin.name]] = {
            refs[name] for each in _needs(pin.name) if (name := normalized(each.name)) in refs
        }
    return _document(subject, [*packages, *files], graph)


def _counts(pin: Pin) -> bool:
    return not pin.marker or Requirement(f"{pin.name}; {pin.marker}").marker.evaluate()  # type: ignore[union-attr]


def _needs(name: str, extras: Iterable[str] = ()) -> list[Requirement]:
    """Return what a package that is installed here needs here."""
    asked = [Requirement(text) for text in metadata.requires(name) or []]
    chosen = ["", *extras]
    return [
        each
        for each in asked
        if each.marker is None or any(each.marker.evaluate({**_HERE, "extra": extra}) for extra in chosen)
    ]


def _subject(kind: str, name: str, version: str) -> Json:
    return {
        "type": kind,
        "bom-ref": f"{name}@{version}",
        "name": name,
        "version": version,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        **({"purl": f"pkg:pypi/{name}@{version}"} if kind == "library" else {}),
    }


def _package(name: str, version: str, pin: Pin | None = None) -> Json:
    """Return a package of PyPI; with a pin of one file, the hash of that file, which alone may be installed."""
    purl = f"pkg:pypi/{name}@{version}"
    component: Json = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if pin and len(pin.hashes) == 1:
        component["hashes"] = [{"alg": "SHA-256", "content": pin.hashes[0]}]
    told = metadata.metadata(name)
    if "License-Expression" in told and told["Version"] == version:
        component["licenses"] = [{"expression": told["License-Expression"]}]
    return component


def _file(path: Path) -> Json:
    name = path.relative_to(_RUNTIME.parent).as_posix()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {
        "type": "file",
        "bom-ref": f"file:{name}",
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def _document(subject: Json, components: list[Json], graph: dict[str, set[str]]) -> Json:
    components = sorted(components, key=lambda one: str(one["bom-ref"]))
    refs = [subject["bom-ref"], *(one["bom-ref"] for one in components)]
    content = {
        "metadata": {"component": subject},
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": sorted(graph.get(ref, ()))} for ref in refs],
    }
    serial = uuid.uuid5(_NAMESPACE, json.dumps(content, sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        **content,
    }


if __name__ == "__main__":
    sys.exit(main())
