"""What is mutated, and by which tests it is judged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Package:
    """A package as `make mutants PACKAGE=…` names it."""

    name: str
    root: str
    """The import root that holds it, from the repository's root."""
    files: tuple[str, ...]
    """Patterns of the files to mutate, below the import root."""
    tests: tuple[str, ...]


def _runtime(name: str, *more_tests: str, files: tuple[str, ...] = ()) -> Package:
    package = f"runtime.{name}"
    patterns = tuple(f"runtime/{name}/{file}.py" for file in files) or (f"runtime/{name}/*",)
    return Package(package, ".", patterns, (f"tests/unit/runtime/{name}", *more_tests))


def _constructs(name: str, files: tuple[str, ...], tests: tuple[str, ...]) -> Package:
    """Return a capability's logic. What only wires constructs together is judged by templates, in tests/synth."""
    patterns = tuple(f"connect_bridges/{name}/{file}.py" for file in files)
    return Package(f"connect_bridges.{name}", "constructs", patterns, tests)


PACKAGES = (
    _runtime("metadata"),
    _runtime("chat"),
    _runtime("biometrics"),
    _runtime("voice"),
    _runtime("shared", "tests/unit/runtime/metadata", "tests/unit/runtime/chat"),
    _constructs("metadata", ("presets",), ("tests/synth/test_constructs.py",)),
    _constructs("chat", ("presets",), ("tests/synth/test_chat_stream_bridge.py",)),
    _constructs(
        "biometrics",
        ("presets", "rules", "provider"),
        ("tests/synth/test_voice_biometric_limits.py", "tests/synth/test_voice_biometric_gate.py"),
    ),
    _constructs("contact_center", ("flow_template",), ("tests/synth/test_constructs.py",)),
    _constructs("shared", ("checks", "webhook_url"), ("tests/synth/test_chat_stream_bridge.py",)),
    _constructs("operations", ("caller",), ("tests/unit/test_caller_cli.py",)),
)
