"""What is installed is locked by hash, known by a bill of materials, and compared with advisories."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from connect_bridges.shared.bundling import bundle_zip
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.version import Version

from tests.supply import audit, sbom
from tests.supply.locks import LOCKS, ROOT, normalized, npm_pins, pins

SOURCES = {
    "requirements.in": "requirements.txt",
    "requirements-dev.in": "requirements-dev.txt",
    "requirements-tools.in": "requirements-tools.txt",
    "runtime/requirements.in": "runtime/requirements.txt",
    "runtime/biometrics/requirements.in": "runtime/biometrics/requirements.txt",
}


# --- locked by hash ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes_and_no_index_is_named(lock: str) -> None:
    text = (ROOT / lock).read_text()
    found = pins(ROOT / lock)
    assert found
    assert [pin.name for pin in found if not pin.hashes] == []
    assert text.count("--hash=") == sum(len(pin.hashes) for pin in found)
    assert "://" not in text


def test_every_npm_package_is_locked_with_its_integrity() -> None:
    found = npm_pins(ROOT / "package-lock.json")
    assert found
    assert [pin.name for pin in found if not pin.hashes[0].startswith("sha512-")] == []
    assert "resolved" not in (ROOT / "package-lock.json").read_text(), (
        "the registry is the reader's to choose"
    )


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt", "requirements-tools.txt"])
def test_dependabot_finds_in_a_lock_how_it_was_compiled(lock: str) -> None:
    """It looks for these words in the file, and compiles for its own Python and platform if they are not there."""
    header = [line for line in (ROOT / lock).read_text().splitlines() if line.startswith("#")]
    compiled = re.search(r"^LOCK := (.+?\n.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert compiled
    for option in (r"--universal\b", r"--python-version[= ]3\.11\b"):
        assert re.search(option, compiled[1]), option
        assert re.search(option, "\n".join(header)), option


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_asked_for_is_what_is_locked(source: str) -> None:
    """After a change there: make lock."""
    locked: dict[str, list[str]] = {}
    for pin in pins(ROOT / SOURCES[source]):
        locked.setdefault(pin.name, []).append(pin.version)
    asked = [
        Requirement(line)
        for line in (ROOT / source).read_text().splitlines()
        if line and not line.startswith(("#", "-r"))
    ]
    assert asked
    for one in asked:
        assert all(version in one.specifier for version in locked[normalized(one.name)]), one


def test_the_app_and_its_developers_use_the_same_versions() -> None:
    app, everything = (set(pins(ROOT / name)) for name in ("requirements.txt", "requirements-dev.txt"))
    assert app < everything


def test_what_our_distributions_need_is_locked_and_within_their_bounds() -> None:
    locked = {pin.name: pin for pin in pins(ROOT / "requirements-dev.txt")}
    for project in sbom.PROJECTS:
        declared = tomllib.loads((ROOT / project).read_text())
        extras = declared["project"].get("optional-dependencies", {}).values()
        wanted = [*declared["project"].get("dependencies", []), *(text for extra in extras for text in extra)]
        for one in map(Requirement, [*wanted, *declared["build-system"]["requires"]]):
            if not one.name.startswith("connect-"):
                assert Version(locked[normalized(one.name)].version) in one.specifier, (project, one)


def test_this_environment_is_the_locked_one() -> None:
    wrong = []
    for pin in pins(ROOT / "requirements-dev.txt"):
        if pin.marker and not Requirement(f"x; {pin.marker}").marker.evaluate():  # type: ignore[union-attr]
            continue
        installed = metadata.version(pin.name)
        if installed != pin.version:
            wrong.append(f"{pin.name}: {pin.version} is locked, {installed} is installed")
    assert wrong == []


def test_what_pins_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text("# why\nsome-package>=1\n")
    with pytest.raises(ValueError, match="'some-package>=1' is no pinned package"):
        pins(tmp_path / "lock.txt")


# --- bills of materials ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bills() -> dict[str, dict[str, Any]]:
    return dict(sbom.every())


def test_each_wheel_and_each_function_has_a_bill_that_the_schema_accepts(bills: dict[str, Any]) -> None:
    assert {name for name in bills if name.endswith(".whl")} == {
        f"{name}-{metadata.version('connect-flows')}.whl"
        for name in ("connect_bridges", "connect_flows", "connect_sandbox")
    }
    handlers = re.findall(r'"runtime\.([\w.]+)\.handler"', "".join(map(str, _handlers_of_contracts())))
    assert {name.removeprefix("function-") for name in bills if name.startswith("function-")} >= set(handlers)
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for name, bill in bills.items():
        assert validator.validate_str(json.dumps(bill)) is None, name
    bill = bills["function-chat.start"] | {"components": [{"type": "library"}]}
    assert validator.validate_str(json.dumps(bill)) is not None, "the validator finds what is wrong"


def _handlers_of_contracts() -> list[str]:
    return [path.read_text() for path in (ROOT / "constructs").rglob("*.py")]


def test_a_functions_bill_is_what_lies_in_its_zip(bills: dict[str, Any]) -> None:
    for module in ("biometrics.webhook", "chat.key_age"):
        bill = bills[f"function-{module}"]
        path = bundle_zip(module, "python3.14")
        assert (
            bill["metadata"]["component"]["hashes"][0]["content"]
            == hashlib.sha256(path.read_bytes()).hexdigest()
        )
        archive = zipfile.ZipFile(path)
        files = {
            one["name"]: one["hashes"][0]["content"] for one in bill["components"] if one["type"] == "file"
        }
        ours = [name for name in archive.namelist() if name.startswith("runtime/")]
        assert files == {name: hashlib.sha256(archive.read(name)).hexdigest() for name in ours}
        packages = {one["name"] for one in bill["components"] if one["type"] == "library"}
        roots = {name.split("/")[0].removesuffix(".py") for name in archive.namelist()} - {"runtime"}
        assert {name.replace("-", "_") for name in packages} == roots


def test_a_wheels_bill_tells_what_it_needs_and_what_those_need(bills: dict[str, Any]) -> None:
    bill = bills[f"connect_bridges-{metadata.version('connect-bridges')}.whl"]
    asked = {
        one["name"]: one["properties"][0]["value"] for one in bill["components"] if one.get("properties")
    }
    assert set(asked) == {"aws-cdk-lib", "connect-flows", "constructs", "jsii"}
    assert asked["connect-flows"] == f"=={metadata.version('connect-flows')}"
    assert {"attrs", "cattrs", "typeguard"} <= {one["name"] for one in bill["components"]}
    refs = {one["bom-ref"] for one in bill["components"]}
    edges = {one["ref"]: set(one["dependsOn"]) for one in bill["dependencies"]}
    assert set().union(*edges.values()) == refs


def test_the_same_sources_give_the_same_bills(bills: dict[str, Any]) -> None:
    again = sbom.of_function("chat.start")
    assert again == bills["function-chat.start"]
    assert len({bill["serialNumber"] for bill in bills.values()}) == len(bills)


# --- advisories --------------------------------------------------------------------------------------------------


def record(name: str, ecosystem: str = "PyPI", **about: Any) -> dict[str, Any]:
    affected = {"package": {"name": name, "ecosystem": ecosystem}, **about}
    return {"id": f"EXAMPLE-{name}", "summary": "It does what it should not.", "affected": [affected]}


def ranges(*events: dict[str, str]) -> dict[str, Any]:
    return {"ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}


def write(folder: Path, *records: dict[str, Any]) -> list[str]:
    for number, one in enumerate(records):
        (folder / f"{number}.json").write_text(json.dumps(one))
    return ["--advisories", str(folder)]


OTHERS = (
    record("unheard-of", **ranges({"introduced": "0"})),
    record("unheard-of", "npm", versions=["1.0.0"]),
)


@pytest.mark.parametrize(
    ("about", "found"),
    [
        ({"versions": ["LOCKED"]}, True),
        ({"versions": ["0.0.1"]}, False),
        (ranges({"introduced": "0"}, {"fixed": "9999"}), True),
        (ranges({"introduced": "0"}, {"fixed": "LOCKED"}), False),
        (ranges({"introduced": "LOCKED"}), True),
        (ranges({"introduced": "0"}, {"last_affected": "LOCKED"}), True),
        (ranges({"introduced": "0"}, {"last_affected": "0.1"}), False),
        (ranges({"introduced": "0"}, {"fixed": "0.1"}, {"introduced": "0.2"}), True),
    ],
)
def test_a_locked_version_with_an_advisory_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], about: Any, found: bool
) -> None:
    locked = next(pin.version for pin in pins(ROOT / "runtime/requirements.txt") if pin.name == "jmespath")
    about = json.loads(json.dumps(about).replace("LOCKED", locked))
    status = audit.main(write(tmp_path, record("JMESPath", **about), *OTHERS))
    printed = capsys.readouterr().out
    assert status == (1 if found else 0)
    assert (f"jmespath {locked}: EXAMPLE-JMESPath It does" in printed) is found
    assert "NOT CHECKED" not in printed


def test_an_advisory_for_an_npm_package_is_found_and_a_withdrawn_one_is_none(tmp_path: Path) -> None:
    pin = next(pin for pin in npm_pins(ROOT / "package-lock.json") if pin.name == "aws-cdk")
    one = record("aws-cdk", "npm", versions=[pin.version])
    assert audit.main(write(tmp_path, one, *OTHERS)) == 1
    assert audit.main(write(tmp_path, one | {"withdrawn": "2026-01-01T00:00:00Z"}, *OTHERS)) == 0


def test_records_may_be_yaml(tmp_path: Path) -> None:
    arguments = write(tmp_path, *OTHERS)
    (tmp_path / "one.yaml").write_text(
        "id: EXAMPLE-1\naffected:\n- package: {name: jmespath, ecosystem: PyPI}\n"
        "  ranges:\n  - type: ECOSYSTEM\n    events:\n    - introduced: '0'\n"
    )
    assert audit.main(arguments) == 1


def test_without_data_for_an_ecosystem_nothing_is_called_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main(write(tmp_path, OTHERS[0])) == 2
    printed = capsys.readouterr().out
    assert re.search(r"^npm: \d+ packages NOT CHECKED, there is no advisory data", printed, re.MULTILINE)
    assert re.search(r"^PyPI: \d+ packages checked, 0 advisories$", printed, re.MULTILINE)


@pytest.mark.parametrize(
    ("pip_audit", "npm", "complaints"),
    [
        (
            """echo '{"dependencies": [{"name": "jinja2", "version": "2.4.1", "vulns": []}]}'""",
            """echo '{"auditReportVersion": 2, "vulnerabilities": {}}'""",
            ["knows none for jinja2 2.4.1", "knows none for lodash 4.17.11"],
        ),
        (
            """echo '{"dependencies": [{"name": "jinja2", "skip_reason": "not found"}]}'""",
            """echo '{"message": "405 Method Not Allowed"}'; exit 1""",
            ["does not tell about jinja2", "405 Method Not Allowed"],
        ),
        ("echo no network >&2; exit 1", "echo no network >&2; exit 1", ["no network", "no network"]),
    ],
    ids=["mirrors without advisories", "mirrors that refuse", "no network"],
)
def test_an_index_without_advisories_is_not_believed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pip_audit: str,
    npm: str,
    complaints: list[str],
) -> None:
    """pip-audit and npm audit themselves say "no known vulnerabilities" in the first two cases."""
    for name, does in (("pip-audit", pip_audit), ("npm", npm)):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(audit, "_PIP_AUDIT", tmp_path / "pip-audit")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert audit.main([]) == 2
    lines = [line for line in capsys.readouterr().out.splitlines() if "NOT CHECKED" in line]
    assert len(lines) == 2
    for line, complaint in zip(lines, complaints, strict=True):
        assert complaint in line
