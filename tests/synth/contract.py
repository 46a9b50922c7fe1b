"""A template as a text that people review: each resource with what matters of it in words, and a hash of the rest.

A changed property changes its line, so a diff names resource and property. What matters is written out: names, short
values, variables of functions, what roles and resource policies allow, what happens on deletion. Long values, such as a
flow's content, are a size and a hash; flows are reviewed in flows/ and asserted by behaviour.

    UPDATE_CONTRACTS=1 pytest tests/synth -k reviewed    writes the contracts anew
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "contracts"
_LONGEST = 100  # characters of a value that is written out
_AMBIGUOUS = re.compile(r"<|(true|false|null|-?[0-9.]+)$")
_ASSET = re.compile(r"[0-9a-f]{64}")
_AROUND = (
    "DependsOn",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "Condition",
    "CreationPolicy",
    "UpdatePolicy",
)
_NOT_DEPLOYED = "Metadata"  # paths of constructs, and asset paths for tools


def assert_contract(name: str, template: Mapping[str, Any]) -> None:
    """Compare a template with the contract that was reviewed, ``contracts/<name>.txt``, and show the difference."""
    file = _FOLDER / f"{name}.txt"
    found = contract(template)
    if os.environ.get("UPDATE_CONTRACTS") == "1":
        file.write_text(found, encoding="utf-8")
    reviewed = file.read_text(encoding="utf-8") if file.is_file() else ""
    difference = difflib.unified_diff(
        reviewed.splitlines(), found.splitlines(), f"contracts/{name}.txt", "this template", lineterm="", n=2
    )
    assert found == reviewed, "\n".join(
        ["If this is meant, write it with UPDATE_CONTRACTS=1 and review the diff.", *difference]
    )


def contract(template: Mapping[str, Any]) -> str:
    """Return the contract of a template; asset hashes and construct paths are left out."""
    known = json.loads(_ASSET.sub("<asset>", json.dumps(template)))
    tags = _most_common_tags(known["Resources"])
    lines = [f"tags, if nothing else is said: {tags}", ""]
    for name, resource in sorted(known["Resources"].items()):
        untagged = "" if "Tags" in resource.get("Properties", {}) else ", untagged"
        lines.append(f"{resource['Type']} {name}{untagged}")
        lines += [f"  {line}" for line in _resource(resource, tags)]
    for section, content in sorted(known.items()):
        if section not in {"Resources", "Outputs"}:
            lines.append(f"{section}: {_short(content)}")
    for name, output in sorted(known.get("Outputs", {}).items()):
        lines.append(f"output {name}: {_short(output)}")
    return "\n".join(lines) + "\n"


def _resource(resource: Mapping[str, Any], tags: str) -> Iterator[str]:
    kept = [resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")]
    if kept != [None, None]:
        yield f"deleted, replaced: {kept[0]}, {kept[1]}"
    around = {"DeletionPolicy", "UpdateReplacePolicy", "Type", "Properties", _NOT_DEPLOYED}
    for key in sorted(set(resource) - around):
        yield f"{key}: {_short(resource[key])}"
    properties: Mapping[str, Any] = resource.get("Properties", {})
    for key in sorted(properties):
        if key != "Tags" or _short(properties[key]) != tags:
            yield from _property(key, properties[key])


def _property(key: str, value: Any) -> Iterator[str]:
    statements = value.get("Statement") if isinstance(value, dict) else None
    if isinstance(statements, list):
        yield f"{key}: {_short({k: v for k, v in value.items() if k != 'Statement'})}"
        for statement in statements:
            yield f"  {_statement(statement)}"
    elif key == "Environment" and isinstance(value, dict) and set(value) == {"Variables"}:
        yield f"{key}:"
        for name, content in sorted(value["Variables"].items()):
            yield f"  {name}={_short(content)}"
    else:
        yield f"{key}: {_short(value)}"


def _statement(statement: Mapping[str, Any]) -> str:
    """Write a policy's statement as a sentence, nothing of it left out."""
    words = {"Effect": "", "Principal": "", "Action": "", "Resource": "on ", "Condition": "if "}
    parts = [f"{word}{_text(statement[key])}" for key, word in words.items() if key in statement]
    rest = {key: value for key, value in statement.items() if key not in words}
    return " ".join([*parts, *(f"{key}={_text(value)}" for key, value in sorted(rest.items()))])


def _short(value: Any) -> str:
    """Return the value itself if it is short, otherwise its length and a hash."""
    text = _text(value)
    if len(text) <= _LONGEST:
        return text
    return f"{len(text)} characters #{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _text(value: Any) -> str:
    """Write a template's JSON without its quotes, references in angle brackets as the CDK's own messages have them."""
    match value:
        case {"Ref": str(name)} if len(value) == 1:
            text = f"<{name}>"
        case {"Fn::GetAtt": [str(name), str(attribute)]} if len(value) == 1:
            text = f"<{name}.{attribute}>"
        case {"Fn::Join": ["", [*parts]]} if len(value) == 1:
            text = "".join(_text(part) for part in parts)
        case str():
            # "true" is not true, and "<Table>" no reference.
            text = json.dumps(value) if _AMBIGUOUS.match(value) else value
        case list():
            text = f"[{', '.join(_text(one) for one in value)}]"
        case dict():
            text = "{" + ", ".join(f"{key}: {_text(one)}" for key, one in value.items()) + "}"
        case _:
            text = json.dumps(value)
    return text


def _most_common_tags(resources: Mapping[str, Any]) -> str:
    tags = [_short(r["Properties"]["Tags"]) for r in resources.values() if "Tags" in r.get("Properties", {})]
    return max(sorted(set(tags)), key=tags.count) if tags else "none"
