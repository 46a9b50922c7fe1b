"""What the external voice system does with a call, as data that goes to its process and comes back equal.

Only the standard library: the process of the external voice system imports this and nothing else of the project.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Answers:
    """Take the call after ringing for `after` seconds (virtual ones: nobody waits for them)."""

    after: float = 2.0


@dataclass(frozen=True)
class Refuses:
    """Answer the INVITE with a SIP error, e.g. 486 Busy Here or 503 Service Unavailable."""

    status: int = 486
    reason: str = "Busy Here"


@dataclass(frozen=True)
class NeverAnswers:
    """Ring until the caller's side gives up (CANCEL)."""


Pickup = Answers | Refuses | NeverAnswers
"""How the system reacts to the INVITE."""


@dataclass(frozen=True)
class Say:
    """Speak to the caller."""

    text: str


@dataclass(frozen=True)
class Ask:
    """Speak to the caller and keep the reply, for metadata, under `remember`."""

    text: str
    remember: str = ""


@dataclass(frozen=True)
class PostMetadata:
    """POST a JSON object to the metadata API, with the contact id of the SIP headers.

    In texts of `metadata`, {name} stands for what an Ask remembered. `token`, `contact_token` and `contact_id` replace
    the right ones, to see what happens. 429 and 503 are retried `retries` times, after Retry-After or
    `pause` seconds (real ones).
    """

    metadata: Json
    token: str | None = None
    contact_token: str | None = None
    contact_id: str | None = None
    retries: int = 3
    pause: float = 0.1


@dataclass(frozen=True)
class HangUp:
    """End the call (BYE); also what happens after the last step."""


@dataclass(frozen=True)
class DropCall:
    """Break the call, as if media were lost."""

    reason: str = "RTP timeout"


Step = Say | Ask | PostMetadata | HangUp | DropCall
"""What the system does while it has the call."""

_TYPES: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Answers, Refuses, NeverAnswers, Say, Ask, PostMetadata, HangUp, DropCall)
}


@dataclass(frozen=True, kw_only=True)
class MetadataApi:
    """What the operator of the external voice system was given: API URL, header name and token.

    `contact_token_header` carries what the SIP header User-to-User held, if the API wants it.
    `connect_to` is the host and port that the URL's host is found at (a laptop has no such name in its DNS).
    """

    url: str
    token: str
    connect_to: tuple[str, int]
    token_header: str = "authorizationToken"  # noqa: S105  (a header's name)
    contact_token_header: str | None = None
    timeout: float = 20.0


@dataclass(frozen=True, kw_only=True)
class VendorScript:
    """One behaviour for every call. `contact_id_header` is the SIP header that carries the contact id."""

    pickup: Pickup = field(default_factory=Answers)
    steps: tuple[Step, ...] = ()
    api: MetadataApi | None = None
    contact_id_header: str = "X-Amzn-ConnectContactId"

    def to_json(self) -> Json:
        """Return the script as JSON."""
        return {
            "pickup": _tagged(self.pickup),
            "steps": [_tagged(step) for step in self.steps],
            "api": asdict(self.api) if self.api else None,
            "contact_id_header": self.contact_id_header,
        }

    @classmethod
    def from_json(cls, script: Json) -> "VendorScript":
        """Return the script that `to_json` wrote."""
        api = script["api"]
        return cls(
            pickup=_untagged(script["pickup"]),
            steps=tuple(_untagged(step) for step in script["steps"]),
            api=MetadataApi(**{**api, "connect_to": tuple(api["connect_to"])}) if api else None,
            contact_id_header=script["contact_id_header"],
        )


def _tagged(item: Pickup | Step) -> Json:
    return {"is": type(item).__name__, **asdict(item)}


def _untagged(item: Json) -> Any:  # noqa: ANN401  (one of the classes above)
    return _TYPES[item["is"]](**{key: value for key, value in item.items() if key != "is"})
