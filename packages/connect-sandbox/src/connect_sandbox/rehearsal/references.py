"""The values of references on a contact: $.Attributes.x, $.External.a.b, $['Attributes']['my key'].

The flow language only has paths through objects; array elements cannot be referenced (Amazon Connect
administrator guide, "Use AWS Lambda functions"). A reference without a value is missing: empty text in a prompt, and
no match in a comparison.
"""

from collections.abc import Mapping
from functools import lru_cache

from connect_flows.references import Reference, is_reference, references

from connect_sandbox.rehearsal.bounds import NODE_COST, REFERENCE_COST, Work
from connect_sandbox.rehearsal.values import Json

ROOTS = frozenset(
    {
        "Agent", "Attributes", "AwsRegion", "Case", "Channel", "ContactId", "Customer", "CustomerCallbackNumber",
        "CustomerEndpoint", "CustomerId", "Description", "Email", "External", "FlowAttributes", "InitialContactId",
        "InitiationMethod", "InstanceARN", "LambdaInvocation", "LanguageCode", "Lex", "Media", "MediaStreams",
        "Metrics", "Modules", "Name", "PreviousContactId", "Queue", "References", "RelatedContactId",
        "SegmentAttributes", "StoredCustomerInput", "SystemEndpoint", "Tags", "TextToSpeechVoice",
        "TextToSpeechVoiceId", "Views", "Wisdom",
    }
)  # fmt: skip
"""The namespaces of a rehearsed contact. A flow that reads another one cannot be played."""


class UnknownNamespaceError(Exception):
    """A reference starts in a namespace that the sandbox does not model; `root` is its name."""

    def __init__(self, reference: Reference) -> None:
        super().__init__(f"{reference.text} reads the namespace $.{reference.root}, which it does not model")
        self.root = reference.root


def look_up(text: str, namespaces: Mapping[str, Json]) -> str | None:
    """Return the value of a text that is one reference, None if it is missing."""
    return _look_up(next(references(text)), namespaces)


def missing_references(text: str, namespaces: Mapping[str, Json]) -> list[str]:
    """Return the references in a text that are missing, as written."""
    return [
        piece.text
        for piece in _pieces(text)
        if isinstance(piece, Reference) and _look_up(piece, namespaces) is None
    ]


def fill_in(value: Json, namespaces: Mapping[str, Json], work: Work | None = None) -> Json:
    """Return `value` with every reference in its texts replaced; also inside objects and arrays.

    `work` counts what that costs, and may raise BoundReachedError.
    """
    work = Work() if work is None else work
    work.add(NODE_COST)
    if isinstance(value, str):
        return _fill_in_text(value, namespaces, work)
    if isinstance(value, Mapping):
        return {key: fill_in(item, namespaces, work) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_in(item, namespaces, work) for item in value]
    return value


def as_text(value: Json) -> str | None:
    """Return a scalar as the text that flows work with; None for null, an object or an array."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return repr(value)
    return None


def _fill_in_text(text: str, namespaces: Mapping[str, Json], work: Work) -> str:
    work.add(len(text))
    parts = []
    for piece in _pieces(text):
        if isinstance(piece, Reference):
            found = _look_up(piece, namespaces) or ""
            work.add(len(found) + REFERENCE_COST)
            parts.append(found)
        else:
            parts.append(piece)
    return "".join(parts)


@lru_cache(maxsize=256)
def _pieces(text: str) -> tuple[str | Reference, ...]:
    """Split a text into its references and what is between them. Cached, because loops fill in the same texts."""
    pieces: list[str | Reference] = []
    end = 0
    for reference in references(text):
        start = text.index(reference.text, end)
        pieces += [text[end:start], reference]
        end = start + len(reference.text)
    return (*pieces, text[end:])


def _look_up(reference: Reference, namespaces: Mapping[str, Json]) -> str | None:
    if reference.root not in ROOTS and reference.root not in namespaces:
        raise UnknownNamespaceError(reference)
    value: Json = namespaces
    for step in reference.steps:
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return as_text(value)


__all__ = [
    "ROOTS",
    "UnknownNamespaceError",
    "as_text",
    "fill_in",
    "is_reference",
    "look_up",
    "missing_references",
]
