"""CF0xx: the shape of the document."""

from __future__ import annotations

from collections.abc import Mapping

from connect_flows.diagnostics import listed, quoted
from connect_flows.rules import error, warning
from connect_flows.subject import Subject
from connect_flows.template import dump, is_opaque, malformed, placeholders, strings

RULES = (
    error(
        "CF001",
        "not-json",
        "The text cannot be read as JSON (or not as UTF-8).",
        "CreateContactFlow and the console's import only accept JSON; a comment, a trailing comma or NaN breaks it.",
        "Correct the JSON where the message says.",
        bad='{"Version": "2019-10-30",}',
        good='{"Version": "2019-10-30", "StartAction": "hello", "Actions": [...]}',
    ),
    error(
        "CF002",
        "not-an-object",
        "The JSON is a list, a string or a number instead of an object.",
        "A flow is one object; the response of a list or describe call has the flow as text in Content.",
        "Use the flow itself, e.g. ContactFlow.Content of DescribeContactFlow.",
        bad="[{...}]",
        good='{"Version": "2019-10-30", ...}',
    ),
    error(
        "CF003",
        "missing-key",
        "Version, StartAction or Actions is missing or of the wrong type.",
        "All three are required.",
        "Add the key. Version is a string, StartAction a string, Actions a list.",
        bad='{"Actions": []}',
        good='{"Version": "2019-10-30", "StartAction": "hello", "Actions": [...]}',
    ),
    error(
        "CF004",
        "wrong-version",
        "Version is not the only version of the flow language.",
        "Amazon Connect only accepts 2019-10-30.",
        'Write "2019-10-30".',
        bad='"Version": "2020-01-01"',
        good='"Version": "2019-10-30"',
    ),
    warning(
        "CF005",
        "unknown-key",
        "The document has a key that the flow language does not define.",
        "It is ignored at best; often it is a misspelt key, which is then missing.",
        "Remove it, or move your own data to Metadata, which Amazon Connect ignores.",
        bad='"startAction": "hello"',
        good='"StartAction": "hello"',
    ),
    error(
        "CF006",
        "too-large",
        "The flow has more characters than Amazon Connect accepts.",
        "Content may have 256,000 characters (written without indentation).",
        "Move part of it into a flow module or another flow.",
        bad="one flow with 240 blocks and long prompts",
        good="a flow that invokes two modules",
    ),
    error(
        "CF007",
        "nested-too-deeply",
        "The JSON is nested deeper than any flow.",
        "Nothing in the flow language needs more than a dozen levels; such a document is broken or hostile.",
        "Remove the extra levels.",
        bad="[[[[[[...]]]]]]",
        good='{"Actions": [{"Parameters": {...}}]}',
    ),
    error(
        "CF008",
        "legacy-export",
        "This is an export in the console's format from before the flow language.",
        "CreateContactFlow and CloudFormation refuse it; only the console's own import still reads it.",
        "Convert it: connect-flows import FILE.",
        bad='{"modules": [...], "start": "...", "version": "1"}',
        good='{"Version": "2019-10-30", "StartAction": "...", "Actions": [...]}',
    ),
    error(
        "CF009",
        "block-count",
        "The flow has no block, or more than 250.",
        "Amazon Connect accepts 1 to 250 actions.",
        "Add a block, or move part of the flow into a module.",
        bad='"Actions": []',
        good='"Actions": [{"Identifier": "bye", "Type": "DisconnectParticipant", ...}]',
    ),
    warning(
        "CF010",
        "duplicate-key",
        "One object has the same key twice.",
        "JSON parsers keep the last value: the first is silently lost.",
        "Remove one of the two.",
        bad='{"Text": "Hello", "Text": "Bye"}',
        good='{"Text": "Hello"}',
    ),
    error(
        "CF011",
        "start-without-block",
        "StartAction does not name a block of the flow.",
        "The flow has nowhere to start.",
        "Use the identifier of the first block.",
        bad='"StartAction": "helo"',
        good='"StartAction": "hello"',
    ),
    warning(
        "CF012",
        "malformed-placeholder",
        "The text contains a ${ that is not a placeholder.",
        "It is not replaced at deploy time, so callers would hear it.",
        "Write ${Name} (letters, digits, _ . : -) for a placeholder, ${!Name} for the text ${Name}.",
        bad="Welcome to ${company name}",
        good="Welcome to ${CompanyName}",
    ),
    error(
        "CF013",
        "placeholder-in-structure",
        "A placeholder is used in the structure of the flow.",
        "Block types, identifiers, targets and the version must be known before deployment, or the flow cannot "
        "be checked.",
        "Write the actual name; use placeholders in parameter values and operands.",
        bad='"Type": "${BlockType}"',
        good='"Type": "MessageParticipant"',
    ),
)

_KEYS = {"Version": str, "StartAction": str, "Actions": list}
_KNOWN = {*_KEYS, "Metadata", "Settings"}


def check(subject: Subject) -> bool:
    """Check the document; return whether its blocks can be checked."""
    document = subject.document
    if "Actions" not in document and ("modules" in document or "start" in document):
        subject.report(
            "CF008",
            "the file is a console export from before the flow language",
            "convert it with: connect-flows import FILE",
        )
        return False
    readable = _keys(subject)
    _size(subject)
    _placeholders(subject)
    return readable


def _keys(subject: Subject) -> bool:
    document = subject.document
    for key, kind in _KEYS.items():
        value = document.get(key)
        if key not in document:
            subject.report("CF003", f"{key} is missing", f"add {key}", path=key)
        elif not isinstance(value, kind):
            wanted = "a list" if kind is list else "a string"
            subject.report(
                "CF003", f"{key} is {quoted(value)}, not {wanted}", f"make {key} {wanted}", path=key
            )
    version, start, actions = (document.get(key) for key in _KEYS)
    wanted = subject.knowledge.version
    if isinstance(version, str) and version != wanted:
        subject.report("CF004", f"Version is {quoted(version)}", f'write "{wanted}"', path="Version")
    for key in sorted(str(k) for k in document if k not in _KNOWN)[:20]:
        near = next((k for k in _KNOWN if k.lower() == key.lower()), None)
        fix = f"write {near}" if near else "remove it or move it to Metadata"
        subject.report("CF005", f"the flow language has no key {quoted(key)}", fix, path=quoted(key)[1:-1])
    if not isinstance(actions, list):
        return False
    maximum = subject.knowledge.actions_max
    if not actions:
        subject.report("CF009", "the flow has no block", "add at least one block", path="Actions")
    elif len(actions) > maximum:
        subject.report(
            "CF009",
            f"the flow has {len(actions)} blocks; Amazon Connect takes {maximum}",
            "move a part into a flow module",
            path="Actions",
        )
    if isinstance(start, str) and actions and start not in subject.blocks and not is_opaque(start):
        subject.report(
            "CF011",
            f"StartAction {quoted(start)} is no block of the flow",
            f"name one of: {listed(subject.blocks, 5)}",
            path="StartAction",
        )
    return True


def _size(subject: Subject) -> None:
    maximum = subject.knowledge.content_max_chars
    if subject.text_length is not None and subject.text_length <= maximum:
        return
    try:
        length = len(dump(subject.document))
    except (
        TypeError,
        ValueError,
    ):  # a mapping with values that JSON cannot represent; they are reported in place
        return
    if length > maximum:
        subject.report(
            "CF006",
            f"the flow has {length} characters; Amazon Connect takes {maximum}",
            "move a part into a flow module",
        )


def _placeholders(subject: Subject) -> None:
    document = subject.document
    for key in ("Version", "StartAction"):
        _structural(subject, document.get(key), key, None)
    for action in subject.actions:
        identifier = action.identifier
        for key in ("Identifier", "Type"):
            _structural(subject, action.raw.get(key), f"{action.path}.{key}", identifier)
        block = subject.blocks.get(identifier) if identifier is not None else None
        for edge in block.edges() if block else ():
            _structural(subject, edge.target, f"{action.path}.Transitions", identifier)
        for text in strings(action.parameters):
            if "${" in text and (wrong := malformed(text)):
                subject.report(
                    "CF012",
                    f"{quoted(wrong)} is no placeholder",
                    "write ${Name}, or ${!Name} for the text",
                    block=identifier,
                    path=f"{action.path}.Parameters",
                )


def _structural(subject: Subject, value: object, path: str, block: str | None) -> None:
    if isinstance(value, str) and is_opaque(value):
        subject.report(
            "CF013",
            f"{quoted(value)} is in a place where the name must be known before deployment",
            "write the name itself",
            block=block,
            path=path,
        )


def metadata_type(document: Mapping[str, object]) -> str | None:
    """Return Metadata.type, letters only and in lower case; None when there is none."""
    metadata = document.get("Metadata")
    value = metadata.get("type") if isinstance(metadata, Mapping) else None
    return "".join(c for c in value.lower() if c.isalpha()) if isinstance(value, str) else None


def is_published(document: Mapping[str, object]) -> bool:
    """Tell whether the document is an export of a flow that was published, and not a template made of one."""
    metadata = document.get("Metadata")
    value = metadata.get("status") if isinstance(metadata, Mapping) else None
    published = isinstance(value, str) and value.lower() == "published"
    return published and not placeholders({"Actions": document.get("Actions")})
