"""What the page shows of a flow: its name, its blocks with parameters and branches, the linter's findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from connect_flows.diagnostics import Diagnostic, LintConfig, LintContext, one_line
from connect_flows.importer import import_flow
from connect_flows.linter import lint
from connect_flows.model import Block, Edge, EdgeKind, Flow
from connect_flows.template import render

Json = dict[str, Any]

_VALUE = 20_000
"""Characters of one value that the page shows."""


@dataclass(frozen=True)
class Shown:
    """A flow as the page shows it.

    file: as named on the command line. findings: of the linter. notes: what the conversion of an old export could
    not keep.
    """

    flow: Flow
    file: str
    findings: tuple[Diagnostic, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call the flow: its name in the console, else the file's."""
        named = self.flow.metadata.get("name")
        if isinstance(named, str) and named.strip():
            return one_line(named.strip(), 200)
        return one_line(PurePath(self.file).stem, 200) or "flow"


def read(
    source: str | bytes, file: str, *, config: LintConfig | None = None, context: LintContext | None = None
) -> Shown:
    """Return the flow in the JSON text, template or export, old or new, with the linter's findings.

    An export from before the flow language is shown and linted as what it is converted to. Raises FlowImportError or
    FlowSyntaxError when the text is no flow.
    """
    imported = import_flow(source, name=file)
    document = render(imported.template, imported.values) if imported.converted else source
    flow = Flow.parse(document, name=file)
    return Shown(flow, file, tuple(lint(document, name=file, config=config, context=context)), imported.notes)


def branches(block: Block) -> Iterator[tuple[str, Edge]]:
    """Yield the block's branches with the key that the picture gives each (``data-branch``)."""
    condition = 0
    for edge in block.edges():
        if edge.kind is EdgeKind.CONDITION:
            yield f"condition:{condition}", edge
            condition += 1
        elif edge.kind is EdgeKind.ERROR:
            yield f"error:{edge.label}", edge
        else:
            yield "next", edge


def leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the values inside a block's parameters with their places, as in ("Media.Uri", "…")."""
    stack: list[tuple[object, str]] = [(value, path)]
    while stack:
        item, where = stack.pop()
        if isinstance(item, Mapping) and item:
            stack += [(item[key], f"{where}.{key}" if where else str(key)) for key in reversed(list(item))]
        elif isinstance(item, list | tuple) and item:
            stack += [(inner, f"{where}[{i}]") for i, inner in reversed(list(enumerate(item)))]
        elif where:
            yield printable(where), as_text(item)


def as_text(value: object) -> str:
    """Return a parameter's value as the page shows it."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    elif isinstance(value, Mapping):
        text = "{}"
    elif isinstance(value, list | tuple):
        text = "[]"
    else:
        text = one_line(value, 400)
    return printable(text)


def printable(text: str) -> str:
    """Return the text as a browser can show it: without lone surrogates, and no longer than 20,000 characters."""
    kept = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text[:_VALUE])
    return kept if len(text) <= _VALUE else kept + "…"
