"""What the files of flows say where a rehearsal knows values alone: which placeholder a resource is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.setup_reader import FlowFile, Setup
from connect_sandbox.testcase.journal import Step

_WHOLE = re.compile(r"\$\{[A-Za-z_][\w.:-]*\}")


class Templates:
    """The flows' files as they are written, with their placeholders."""

    def __init__(self, flow: PublishedFlow, path: Path, setup: Setup) -> None:
        named = {**setup.flows, **setup.modules}
        files = {arn: file.path for arn, file in named.items() if isinstance(file, FlowFile)}
        self._paths = {flow.arn: path, **files}
        self._blocks: dict[str, dict[str, Mapping[str, Any]]] = {}

    def written(self, step: Step, parameter: str) -> str:
        """Return a block's parameter if it is written as one placeholder, else empty text."""
        arn = step.visit.flow.arn
        if arn not in self._blocks:
            path = self._paths.get(arn)
            document = json.loads(path.read_text(encoding="utf-8-sig")) if path is not None else {}
            self._blocks[arn] = {
                str(each.get("Identifier")): each.get("Parameters") or {}
                for each in document.get("Actions", [])
            }
        value: Any = self._blocks[arn].get(step.visit.block.identifier, {})
        for key in parameter.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value if isinstance(value, str) and _WHOLE.fullmatch(value) else ""
