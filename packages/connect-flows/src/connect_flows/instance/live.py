"""An Amazon Connect instance, by boto3. Nothing else in this package talks to AWS.

Each call names its operation and the permission when it is denied. Amazon Connect takes 2 requests a second of an
operation, and bursts of 5 (service quotas): botocore waits and tries again.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from connect_flows.instance.errors import InstanceError, RefusedError
from connect_flows.instance.resources import split

RETRIES: Final = {"mode": "standard", "total_max_attempts": 12}
PUBLISHED: Final = "PUBLISHED"
#: The alias, behind an id, under which a flow is read and written without being published.
_SAVED: Final = ":$SAVED"
_BLOCK = re.compile(r"Actions\[(\d+)\]")


@dataclass(frozen=True)
class _Listing:
    """How the resources of a kind are listed: operation, where the answer has them and their names, parameters."""

    operation: str
    member: str
    name: str = "Name"
    parameters: Mapping[str, Any] | None = None


#: Kinds of `resources` that have names of their own, and how to list them.
LISTINGS: Final[Mapping[str, _Listing]] = {
    "queue": _Listing("ListQueues", "QueueSummaryList", parameters={"QueueTypes": ["STANDARD"]}),
    "hours": _Listing("ListHoursOfOperations", "HoursOfOperationSummaryList"),
    "prompt": _Listing("ListPrompts", "PromptSummaryList"),
    "quick connect": _Listing("ListQuickConnects", "QuickConnectSummaryList"),
    "view": _Listing("ListViews", "ViewsSummaryList"),
    "agent": _Listing("ListUsers", "UserSummaryList", name="Username"),
    "task template": _Listing("ListTaskTemplates", "TaskTemplates"),
}


@dataclass(frozen=True)
class Item:
    """A flow or a module of an instance; `type` is CONTACT_FLOW and so on, or MODULE."""

    id: str
    arn: str
    name: str
    type: str
    archived: bool = False

    @property
    def module(self) -> bool:
        """Whether it is a module."""
        return self.type == "MODULE"

    @property
    def key(self) -> tuple[str, str]:
        """Return type and name, which no two items of an instance share."""
        return self.type, self.name

    @property
    def typed_name(self) -> str:
        """Return the name with the type: Sales (QUEUE_TRANSFER)."""
        return f"{self.name} ({self.type})"


@dataclass(frozen=True)
class Held:
    """What an instance holds of an item: its content, and whether that is published. settings: a module's, as JSON."""

    content: str
    description: str
    published: bool
    settings: str = ""


class Live:
    """One instance. `connect` and `lex` are boto3 clients for Amazon Connect and for Amazon Lex V2 (lexv2-models)."""

    def __init__(self, connect: Any, lex: Any, instance_id: str) -> None:  # noqa: ANN401 - clients have no common type
        """Take the clients; nothing is called yet."""
        self._connect = connect
        self._lex = lex
        self._id = instance_id
        self._items: list[Item] | None = None
        self._names: dict[str, dict[str, str]] = {}

    def items(self) -> list[Item]:
        """Return all flows and modules, archived ones too, in the order of type and name."""
        if self._items is None:
            flows = [
                Item(
                    one["Id"],
                    one["Arn"],
                    one["Name"],
                    one["ContactFlowType"],
                    _archived(one, "ContactFlowState"),
                )
                for one in self._pages("ListContactFlows", "ContactFlowSummaryList")
            ]
            modules = [
                Item(one["Id"], one["Arn"], one["Name"], "MODULE", _archived(one, "State"))
                for one in self._pages("ListContactFlowModules", "ContactFlowModulesSummaryList")
            ]
            self._items = sorted([*flows, *modules], key=lambda item: (item.type, item.name, item.id))
        return self._items

    def read(self, item: Item, *, saved: bool = False) -> Held:
        """Return what is published of an item, or with `saved`, or if nothing was ever published, what is saved."""
        operation = "DescribeContactFlowModule" if item.module else "DescribeContactFlow"
        key = "ContactFlowModuleId" if item.module else "ContactFlowId"
        try:
            answer = self._call(operation, **{key: item.id + _SAVED * saved})
        except InstanceError as problem:
            # evidence: saved-alias-of-a-flow
            if saved or problem.code != "ContactFlowNotPublishedException":
                raise
            return self.read(item, saved=True)
        held = answer["ContactFlowModule" if item.module else "ContactFlow"]
        published = str(held.get("Status", PUBLISHED)).upper() == PUBLISHED
        return Held(
            held["Content"], held.get("Description", ""), published and not saved, held.get("Settings", "")
        )

    def names(self, kind: str) -> dict[str, str]:
        """Return the names of the resources of a kind by their ARN; empty for a kind without names."""
        if kind not in self._names:
            if kind in {"flow", "module"}:
                found = self._names_of_items(module=kind == "module")
            elif kind in LISTINGS:
                listing = LISTINGS[kind]
                rows = self._pages(listing.operation, listing.member, **(listing.parameters or {}))
                found = {row["Arn"]: row[listing.name] for row in rows if listing.name in row}
            elif kind == "bot alias":
                rows = self._pages("ListBots", "LexBots", LexVersion="V2")
                found = {arn: self._bot_alias(arn) for arn in (row["LexV2Bot"]["AliasArn"] for row in rows)}
            else:
                found = {}
            self._names[kind] = {split(arn)[1]: name for arn, name in sorted(found.items())}
        return self._names[kind]

    def create(self, key: tuple[str, str], held: Held) -> Item:
        """Create a flow or a module, by type and name; a flow that is not published is saved without a check.

        Raises RefusedError with the blocks that Amazon Connect refuses.
        """
        type_, name = key
        given = {"Name": name, "Content": held.content}
        if held.description:
            given["Description"] = held.description
        if type_ == "MODULE":
            settings = {"Settings": held.settings} if held.settings else {}
            made = self._write("CreateContactFlowModule", held.content, **given, **settings)
            item = Item(made["Id"], made["Arn"], name, type_)
        else:
            given["Status"] = PUBLISHED if held.published else "SAVED"
            made = self._write("CreateContactFlow", held.content, Type=type_, **given)
            item = Item(made["ContactFlowId"], made["ContactFlowArn"], name, type_)
        self._items = None if self._items is None else [*self._items, item]
        self._names.pop("module" if item.module else "flow", None)
        return item

    def update(self, item: Item, held: Held) -> None:
        """Replace content and settings and publish them, or save them; RefusedError as for `create`."""
        place = item.id + _SAVED * (not held.published)
        if not item.module:
            self._write("UpdateContactFlowContent", held.content, ContactFlowId=place, Content=held.content)
            return
        settings = {"Settings": held.settings} if held.settings else {}
        self._write(
            "UpdateContactFlowModuleContent",
            held.content,
            ContactFlowModuleId=place,
            Content=held.content,
            **settings,
        )

    def describe(self, item: Item, description: str) -> None:
        """Replace the description."""
        operation = "UpdateContactFlowModuleMetadata" if item.module else "UpdateContactFlowMetadata"
        key = "ContactFlowModuleId" if item.module else "ContactFlowId"
        self._call(operation, **{key: item.id}, Description=description)

    def _names_of_items(self, *, module: bool) -> dict[str, str]:
        """Return the names of the flows or the modules; flows of several types with one name have the type in it."""
        items = [item for item in self.items() if item.module == module]
        often = Counter(item.name for item in items)
        return {item.arn: item.name if often[item.name] == 1 else item.typed_name for item in items}

    def _bot_alias(self, arn: str) -> str:
        """Return the names of a bot and its alias: Orders/live."""
        _, bot, alias = arn.rsplit("/", 2)
        try:
            name = self._lex.describe_bot(botId=bot)["botName"]
            return f"{name}/{self._lex.describe_bot_alias(botId=bot, botAliasId=alias)['botAliasName']}"
        except (ClientError, BotoCoreError) as problem:
            raise _explained("DescribeBot and lex:DescribeBotAlias", problem, "lex") from problem

    def _write(self, operation: str, content: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            return self._call(operation, **parameters)
        except InstanceError as problem:
            if problem.code in {"InvalidContactFlowException", "InvalidContactFlowModuleException"}:
                raise RefusedError(operation, _places(problem.problems, content)) from problem
            raise

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
        method = getattr(self._connect, xform_name(operation))
        try:
            answer: dict[str, Any] = method(InstanceId=self._id, **parameters)
        except (ClientError, BotoCoreError) as problem:
            raise _explained(operation, problem) from problem
        return answer

    def _pages(self, operation: str, member: str, **parameters: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        paginator = self._connect.get_paginator(xform_name(operation))
        try:
            return [
                row for page in paginator.paginate(InstanceId=self._id, **parameters) for row in page[member]
            ]
        except (ClientError, BotoCoreError) as problem:
            raise _explained(operation, problem) from problem


def connect(instance: str, *, profile: str | None = None, region: str | None = None) -> Live:
    """Return the instance with this ARN or id; the Region is the ARN's unless `region` names it.

    Raises InstanceError where the profile does not exist or no Region is known.
    """
    parts = instance.split(":")
    try:
        session = boto3.Session(
            profile_name=profile, region_name=region or (parts[3] if len(parts) == 6 else None)
        )
        if session.region_name is None:
            raise InstanceError(f"the Region of {instance} is not known: pass its ARN, or --region")
        config = Config(retries=RETRIES)
        amazon_connect, lex = (
            session.client("connect", config=config),
            session.client("lexv2-models", config=config),
        )
    except BotoCoreError as problem:
        raise InstanceError(str(problem)) from problem
    return Live(amazon_connect, lex, instance.rpartition("/")[2])


def _archived(row: Mapping[str, Any], member: str) -> bool:
    return str(row.get(member, "ACTIVE")).upper() == "ARCHIVED"


def _explained(
    operation: str, problem: ClientError | BotoCoreError, service: str = "connect"
) -> InstanceError:
    if not isinstance(problem, ClientError):
        return InstanceError(f"{service}:{operation}: {problem}")
    response = problem.response
    error = response.get("Error", {})
    code, message = str(error.get("Code", "")), str(error.get("Message") or "no reason given")
    if code in {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"}:
        return InstanceError(f"allow {service}:{operation}, which is denied: {message}", code)
    listed = response.get("problems") or response.get("Problems") or []
    return InstanceError(
        f"{service}:{operation}: {code}: {message}", code, tuple(str(one.get("message")) for one in listed)
    )


def _places(problems: tuple[str, ...], content: str) -> tuple[str, ...]:
    """Return the problems with the blocks that they are about."""
    actions = json.loads(content)["Actions"]

    def told(problem: str) -> str:
        found = _BLOCK.search(problem)
        if found is None or int(found[1]) >= len(actions):
            return problem
        return f"[{actions[int(found[1])].get('Identifier')}] {problem}"

    return tuple(map(told, problems))
