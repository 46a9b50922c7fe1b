"""Reading TwiML: the verbs that a voice check needs, with the attributes that this fake acts on.

Source: Twilio's documentation, "TwiML for Programmable Voice". A verb or an attribute that is not here fails by name.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

_ATTRIBUTES = {
    "Say": {"voice", "language"},
    "Gather": {"input", "numDigits", "timeout", "action", "method", "actionOnEmptyResult"},
    "Record": {"action", "method", "maxLength", "timeout", "trim", "playBeep"},
    "Redirect": {"method"},
    "Dial": set(),
    "Hangup": set(),
}
_ONLY = {"method": "POST", "input": "dtmf"}
"""Attributes that are played with one value alone."""


class TwimlError(Exception):
    """The document is no TwiML, or holds what this fake cannot play."""


@dataclass(frozen=True)
class Verb:
    """A verb: its name, its attributes, its text, and the verbs within."""

    name: str
    attributes: dict[str, str]
    text: str
    within: tuple[Verb, ...]

    def spoken(self) -> str:
        """Return what the Say verbs within say."""
        return " ".join(verb.text for verb in self.within if verb.name == "Say")


def read(document: str) -> list[Verb]:
    """Return the verbs of a TwiML document in order; TwimlError if it is none, or cannot be played."""
    try:
        root = ET.fromstring(document)  # noqa: S314  (the answer of the app's own function)
    except ET.ParseError as error:
        raise TwimlError(f"the answer is no XML: {error}") from error
    if root.tag != "Response":
        raise TwimlError(f"TwiML is a <Response>, and the answer is a <{root.tag}>")
    return [_verb(element) for element in root]


def _verb(element: ET.Element) -> Verb:
    known = _ATTRIBUTES.get(element.tag)
    if known is None:
        raise TwimlError(f"the sandbox cannot play <{element.tag}>; it knows {', '.join(_ATTRIBUTES)}")
    for name, value in element.attrib.items():
        if name not in known or value != _ONLY.get(name, value):
            raise TwimlError(f'the sandbox cannot play <{element.tag} {name}="{value}">')
    within = tuple(_verb(child) for child in element)
    if within and (element.tag != "Gather" or any(verb.name != "Say" for verb in within)):
        raise TwimlError(f"<{element.tag}> cannot hold <{within[0].name}>")
    return Verb(element.tag, dict(element.attrib), (element.text or "").strip(), within)
