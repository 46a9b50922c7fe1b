"""The Amazon Lex V2 API, as far as telling what bots and their aliases are called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connect_sandbox.cloud.aws_service import AwsService
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.faults import Faults


@dataclass
class Bot:
    """A bot: its name, and the names of its aliases by their ids."""

    name: str
    aliases: dict[str, str] = field(default_factory=dict)


class Bots:
    """The account's Lex V2 bots, by id: those of stacks, and those that a test adds."""

    def __init__(self) -> None:
        """Start empty."""
        self._bots: dict[str, Bot] = {}

    def add(self, bot_id: str, name: str, **aliases: str) -> Bot:
        """Let there be a bot; `aliases` are names by id."""
        self._bots[bot_id] = Bot(name, dict(aliases))
        return self._bots[bot_id]

    def get(self, bot_id: str) -> Bot:
        """Return a bot; raise ResourceNotFoundException."""
        if bot_id not in self._bots:
            raise AwsError("ResourceNotFoundException", f"Bot with id {bot_id} not found.", 404)
        return self._bots[bot_id]


class LexApi(AwsService):
    """Serves Lex from the account's Bots."""

    service_name = "lexv2-models"

    def __init__(self, faults: Faults, bots: Bots) -> None:
        """`bots` holds what there is."""
        super().__init__(faults)
        self._bots = bots

    def describe_bot(self, bot_id: str) -> dict[str, Any]:
        """Describe a bot."""
        return {"botId": bot_id, "botName": self._bots.get(bot_id).name, "botStatus": "Available"}

    def describe_bot_alias(self, bot_id: str, bot_alias_id: str) -> dict[str, Any]:
        """Describe an alias of a bot."""
        name = self._bots.get(bot_id).aliases.get(bot_alias_id)
        if name is None:
            raise AwsError("ResourceNotFoundException", f"Alias {bot_alias_id} of {bot_id} not found.", 404)
        return {
            "botId": bot_id,
            "botAliasId": bot_alias_id,
            "botAliasName": name,
            "botAliasStatus": "Available",
        }
