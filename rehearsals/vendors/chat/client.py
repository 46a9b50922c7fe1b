"""Starts the external bot in its own process, and tells it how to behave."""

from dataclasses import asdict, dataclass

from connect_sandbox.rehearsal.values import Json

from rehearsals.vendors.chat.script import BotAccess, BotScript
from rehearsals.vendors.process import VendorProcess

WEBHOOK_PATH = "/adapter/hooks/amazonconnect/st-example"


@dataclass(frozen=True)
class BotReport:
    """What the bot has seen. `refused`: messages that it did not believe, and why; `problems`: calls that failed.

    `notified` are deliveries with contact_id, id, time, content, role, type and taken (False: answered with 503).
    """

    initialized: list[Json]
    notified: list[Json]
    refused: list[str]
    problems: list[str]
    confirmed: list[str]

    def taken(self) -> list[Json]:
        """Return the messages that it took, each once, in the order of arrival."""
        seen: dict[str, Json] = {}
        for delivery in self.notified:
            if delivery["taken"]:
                seen.setdefault(delivery["id"], delivery)
        return list(seen.values())


class BotPlatform(VendorProcess):
    """The vendor's chat platform, as a context manager; it serves `webhook_url` as long as the context lasts."""

    module = "rehearsals.vendors.chat.external_bot"
    name = "the external bot"

    @property
    def webhook_url(self) -> str:
        """Where its webhook is."""
        return f"http://127.0.0.1:{self.port}{WEBHOOK_PATH}"

    def is_told_access(self, access: BotAccess) -> None:
        """Give the vendor what it joins chats with."""
        self.command("access", asdict(access))

    def behaves(self, script: BotScript) -> None:
        """Let chats that begin from now on be treated so."""
        self.command("script", script.to_json())

    def goes_down(self) -> None:
        """Close the webhook's port: connections are refused."""
        self.command("down", True)

    def comes_up(self) -> None:
        """Open the port again; if it is open, it stays so."""
        self.command("down", False)

    def report(self, *contact_ids: str) -> BotReport:
        """Return what the bot has seen of these contacts, or of all."""
        return BotReport(**self.command("report", list(contact_ids)))
