"""What the external bot does with chats, as data that goes to its process and comes back equal.

Only the standard library: the bot's process imports this.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class BotScript:
    """One behaviour for every chat that begins under it.

    `greeting` is said on joining, `replies` in turn to the customer's messages (then silence). After `leaves_after`
    messages of the customer it says `farewell` and leaves. `joins` False: it answers the webhook and does not come.
    `initialize_status` and `initialize_seconds` (real ones) are its answer to InitializeConnection; `begun_status`
    replaces a 200 after the conversation was begun, as a gateway does that lost the answer. `failure_rate` is the share
    of notifications that it answers with 503. `token` is the verification token that it expects.
    """

    token: str
    greeting: str = ""
    replies: tuple[str, ...] = ()
    leaves_after: int | None = None
    farewell: str = ""
    joins: bool = True
    initialize_status: int = 200
    initialize_seconds: float = 0.0
    begun_status: int = 200
    failure_rate: float = 0.0

    def to_json(self) -> Json:
        """Return the script as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, script: Json) -> "BotScript":
        """Return the script that `to_json` wrote."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in script.items() if name in known}
        return cls(**{**values, "replies": tuple(script.get("replies", ()))})


@dataclass(frozen=True, kw_only=True)
class BotAccess:
    """What the vendor was given to join chats with, and its own credentials in its own account.

    `endpoint_url` is where AWS is found; SNS's certificates must come from there, too.
    """

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    role_arn: str = ""
    external_id: str = ""
    token_header: str = "Verification-Token"  # noqa: S105  (a header's name)
