"""The knowledge that ships is what the facts give, and every part of it names its evidence."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "packages/connect-flows"


@pytest.fixture(scope="module")
def build_knowledge() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_knowledge", PACKAGE / "tools/build_knowledge.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_shipped_knowledge_is_what_the_facts_give(build_knowledge: ModuleType, tmp_path: Path) -> None:
    built = tmp_path / "knowledge.json"
    build_knowledge.main(["--output", str(built)])
    shipped = (PACKAGE / "src/connect_flows/knowledge.json").read_text(encoding="utf-8")
    assert built.read_text(encoding="utf-8") == shipped, "run `make knowledge` and commit the result"


def test_a_sentence_that_nothing_reads_stops_the_build(build_knowledge: ModuleType, tmp_path: Path) -> None:
    facts = json.loads((PACKAGE / "facts/flow-actions.json").read_text(encoding="utf-8"))
    facts["actions"]["Wait"]["params"]["TimeLimitSeconds"]["required"] = "on Tuesdays"
    (tmp_path / "facts.json").write_text(json.dumps(facts), encoding="utf-8")

    with pytest.raises(ValueError, match=r"Wait\.TimeLimitSeconds.*'on Tuesdays'"):
        build_knowledge.main(
            ["--facts", str(tmp_path / "facts.json"), "--output", str(tmp_path / "unwritten.json")]
        )
    assert not (tmp_path / "unwritten.json").exists()


def test_every_status_and_source_of_the_facts_is_explained_beside_them() -> None:
    readme = (PACKAGE / "facts/README.md").read_text(encoding="utf-8")
    facts = json.loads((PACKAGE / "facts/flow-actions.json").read_text(encoding="utf-8"))["actions"]
    statuses = {status.split(" (")[0] for fact in facts.values() for status in fact["status"]}
    assert [status for status in sorted(statuses) if f"| `{status}` |" not in readme] == []
    assert [name for name, fact in facts.items() if not fact["status"] or not fact["source"]] == []
