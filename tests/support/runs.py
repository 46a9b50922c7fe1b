"""What a line of a run file must look like."""

import json
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

FLOW = "arn:aws:connect:us-east-1:123456789012:instance/i/contact-flow/f"


class Schema:
    """The schema that is shipped."""

    def __init__(self) -> None:
        text = files("connect_sandbox.runs").joinpath("schema.json").read_text(encoding="utf-8")
        self.content: dict[str, Any] = json.loads(text)
        Draft202012Validator.check_schema(self.content)
        self._validator = Draft202012Validator(self.content)

    def problems(self, event: Any) -> list[str]:
        return [f"{error.json_path}: {error.message}" for error in self._validator.iter_errors(event)]
