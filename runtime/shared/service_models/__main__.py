"""Write the modules of this package from the installed botocore: ``python -m runtime.shared.service_models``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from keyword import iskeyword
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

OPERATIONS: dict[str, tuple[str, ...]] = {
    "chime-sdk-voice": (
        "CreateVoiceConnector",
        "DeleteVoiceConnector",
        "ListTagsForResource",
        "ListVoiceConnectors",
        "PutVoiceConnectorExternalSystemsConfiguration",
        "PutVoiceConnectorLoggingConfiguration",
        "PutVoiceConnectorOrigination",
        "TagResource",
        "UntagResource",
        "UpdateVoiceConnector",
    ),
    "connect": (
        "AssociatePhoneNumberContactFlow",
        "CreateIntegrationAssociation",
        "DeleteIntegrationAssociation",
        "DisassociatePhoneNumberContactFlow",
        "ListIntegrationAssociations",
        "StartContactStreaming",
        "StopContactStreaming",
        "TagResource",
        "UntagResource",
    ),
    "dynamodb": ("DeleteItem", "GetItem", "PutItem", "Scan"),
    "iam": ("ListAccessKeys",),
    "lambda": ("Invoke",),
    "logs": (
        "AssociateKmsKey",
        "CreateLogGroup",
        "DeleteLogGroup",
        "DisassociateKmsKey",
        "PutRetentionPolicy",
    ),
    "secretsmanager": ("GetSecretValue",),
}
"""The operations that the functions call, by service."""

_FOR_READERS_ONLY = frozenset({"documentation", "pattern"})  # botocore acts on neither


def module_of(service: str) -> Path:
    """Return the file of a service's module, or that of ``endpoints``."""
    name = service.replace("-", "_")
    return Path(__file__).with_name(f"{name}_.py" if iskeyword(name) else f"{name}.py")


def written(service: str) -> str:
    """Return the text of a service's module."""
    model = _text(_cut_down(Loader().load_service_model(service, "service-2"), service))
    operations = ", ".join(OPERATIONS[service])
    return "\n".join(
        [
            f'"""{service}, cut down by ``python -m runtime.shared.service_models``: do not edit.',
            "",
            f"{operations}.",
            '"""',
            "# ruff: noqa: E501",
            "",
            f'SERVICE: str = "{service}"',
            f'MODEL: str = r"""{model}"""',
            "",
        ]
    )


def written_endpoints() -> str:
    """Return the text of the module ``endpoints``: what botocore knows of where our services are, by partition."""
    whole = Loader().load_data("endpoints")
    prefixes = {
        Loader().load_service_model(one, "service-2")["metadata"]["endpointPrefix"] for one in OPERATIONS
    }
    partitions = [
        part | {"services": {name: one for name, one in part["services"].items() if name in prefixes}}
        for part in whole["partitions"]
    ]
    lines = ",\n".join(f"  {json.dumps(part)}" for part in partitions)
    return "\n".join(
        [
            '"""Where the services are, cut down by ``python -m runtime.shared.service_models``: do not edit.',
            "",
            "Regions that opened since are found by their partition's pattern, and by botocore's own endpoint rules.",
            '"""',
            "# ruff: noqa: E501",
            "",
            f'MODEL: str = r"""{{"version": {json.dumps(whole["version"])}, "partitions": [\n{lines}\n]}}"""',
            "",
        ]
    )


def _text(model: dict[str, Any]) -> str:
    """Write JSON with a line for each operation and each shape, so that changes can be reviewed."""
    parts = []
    for key, value in model.items():
        if key in {"operations", "shapes"}:
            lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in value.items())
            parts.append(f" {json.dumps(key)}: {{\n{lines}\n }}")
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}"


def _cut_down(whole: dict[str, Any], service: str) -> dict[str, Any]:
    operations = {name: _without_prose(whole["operations"][name]) for name in OPERATIONS[service]}
    shapes: dict[str, Any] = {}
    waiting = list(_shapes_in(operations))
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = _without_prose(whole["shapes"][name])
            waiting.extend(_shapes_in(shapes[name]))
    return {
        "version": whole["version"],
        "metadata": whole["metadata"],
        "operations": operations,
        "shapes": dict(sorted(shapes.items())),
        **({"clientContextParams": whole["clientContextParams"]} if "clientContextParams" in whole else {}),
    }


def _without_prose(part: Any) -> Any:  # noqa: ANN401 (any JSON)
    if isinstance(part, dict):
        # A structure's member may be called "documentation" too, and then is no text.
        return {
            key: _without_prose(value)
            for key, value in part.items()
            if not (key in _FOR_READERS_ONLY and isinstance(value, str))
        }
    return [_without_prose(one) for one in part] if isinstance(part, list) else part


def _shapes_in(part: Any) -> Iterator[str]:  # noqa: ANN401 (any JSON)
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        for value in part.values():
            yield from _shapes_in(value)
    elif isinstance(part, list):
        for one in part:
            yield from _shapes_in(one)


def main() -> None:
    """Write every module."""
    for service in OPERATIONS:
        module_of(service).write_text(written(service), encoding="utf-8")
    module_of("endpoints").write_text(written_endpoints(), encoding="utf-8")


if __name__ == "__main__":
    main()
