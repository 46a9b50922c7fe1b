"""Mutants that survived once: each must be killed by the tests that it names.

A mutant is an edit of one place in a copy of the sources. The unchanged copy must pass the same tests, for otherwise a
test that always fails would kill the mutant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class NamedMutant:
    """`pattern` (a regular expression, with ^ and $ for lines) becomes `replacement` in the one file that holds it."""

    name: str
    files: str
    """A glob from the repository's root: code moves, a mutant should follow it."""
    pattern: str
    replacement: str
    tests: tuple[str, ...]

    def apply(self, root: Path) -> Path:
        """Edit the file below the root and return it. ValueError if the pattern is not found exactly once."""
        found = [
            (path, source, len(re.findall(self.pattern, source, re.MULTILINE)))
            for path in sorted(root.glob(self.files))
            if re.search(self.pattern, source := path.read_text(), re.MULTILINE)
        ]
        if [times for _, _, times in found] != [1]:
            places = (
                ", ".join(f"{path.relative_to(root)} ({times} times)" for path, _, times in found)
                or "nowhere"
            )
            raise ValueError(
                f"the mutant {self.name!r} looks for {self.pattern!r} in {self.files} and must find it once; found: "
                f"{places}. Adapt it in tests/mutation/named.py."
            )
        [(path, source, _)] = found
        path.write_text(re.sub(self.pattern, self.replacement, source, flags=re.MULTILINE))
        return path


NAMED = (
    NamedMutant(
        "retrieve loses its KMS grant",
        "constructs/connect_bridges/metadata/bridge.py",
        r"""^( +)self\._key\.grant\(self\.retrieve_function, "kms:Decrypt"\)$"""
        r"""|^( +)grant_table\(self\.table, self\.retrieve_function, "GetItem", key=self\._encryption_key\)$""",
        r"""\1\2self.table.grant(self.retrieve_function, "dynamodb:GetItem")""",
        ("tests/synth/test_constructs.py",),
    ),
    NamedMutant(
        "token_cache never reaches the gateway",
        "constructs/connect_bridges/metadata/bridge.py",
        r"authorizer_cache=cdk\.Duration\.seconds\(gateway_cache\)",
        "authorizer_cache=cdk.Duration.minutes(5)",
        ("tests/synth/test_constructs.py",),
    ),
    NamedMutant(
        "a link-local SBC host is accepted",
        "constructs/connect_bridges/voice/*.py",
        r", \"169\.254\.0\.0/16\"",
        "",
        ("tests/synth/test_voice_connector_host.py",),
    ),
    NamedMutant(
        "32 KB of metadata is taken, >= becomes >",
        "runtime/metadata/**/[sr]*e*.py",
        r"if size >= CONNECT_RESPONSE_LIMIT:(?=(.|\n)*send less)",
        "if size > CONNECT_RESPONSE_LIMIT:",
        ("tests/unit/runtime/metadata",),
    ),
    NamedMutant(
        "32 KB of metadata is given to the flow, >= becomes >",
        "runtime/metadata/**/retrieve.py",
        r"if size >= CONNECT_RESPONSE_LIMIT:",
        "if size > CONNECT_RESPONSE_LIMIT:",
        ("tests/unit/runtime/metadata",),
    ),
    NamedMutant(
        "`unreported` is not cleared after a rollback",
        "runtime/voice/lifecycle.py",
        r"^ +self\.unreported = None\n",
        "",
        ("tests/unit/runtime/voice",),
    ),
    NamedMutant(
        "Connection: close is dropped",
        "runtime/**/*.py",
        r"""(?:\n +|, )"Connection": "close",?""",
        "",
        ("tests/unit/runtime/shared", "tests/unit/runtime/chat"),
    ),
)
