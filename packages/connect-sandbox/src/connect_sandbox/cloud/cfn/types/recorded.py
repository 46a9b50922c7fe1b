"""Types that are recorded: they deploy, can be referred to, and have no effect here; recorded.json says why.

Each is in `Sandbox.not_rehearsed` while its stack exists. Properties, required ones and what replaces a resource are
those of CloudFormation's schemas.
"""

from __future__ import annotations

import json
import re
import secrets
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import PropertyTable, Recorded
from connect_sandbox.cloud.cfn.types.connect_support import unless_gone

#: Types that the instance lists by name, and the kind of part that they are there.
_PARTS = {"AWS::Connect::View": "View", "AWS::Connect::TaskTemplate": "TaskTemplate"}
_FIELD = re.compile(r"\{(\w+)\}")


class RecordedType(ResourceType):
    """A type of recorded.json. A subclass is made for each."""

    #: How its physical id is made, and its attributes: fields in braces are properties, or made up.
    id_form: ClassVar[str]
    attribute_forms: ClassVar[dict[str, Any]]

    def __init__(self) -> None:
        """Start without any."""
        self._numbers: dict[str, int] = {}

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Make up an id; an instance of Amazon Connect that it is for must exist."""
        if "InstanceArn" in properties:
            context.services.connect.instance(properties["InstanceArn"])
        fields = _Fields(context, properties, self._number)
        if kind := _PARTS.get(self.type_name):
            parts = context.services.contact_center.parts
            fields.known["uuid"] = parts.create(
                properties["InstanceArn"], kind, properties.get("Name", context.logical_id), properties
            ).id
        physical_id = fields.fill(self.id_form)
        fields.known["id"] = physical_id
        self._name_bot(context, physical_id, properties)
        return Created(physical_id, {name: fields.fill(form) for name, form in self.attribute_forms.items()})

    def _name_bot(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        """Let Lex tell what a bot or an alias is called."""
        bots = context.services.bots
        if self.type_name == "AWS::Lex::Bot":
            bots.add(physical_id, properties["Name"])
        elif self.type_name == "AWS::Lex::BotAlias":
            aliases = bots.get(properties["BotId"]).aliases
            aliases[physical_id.partition("|")[0]] = properties["BotAliasName"]

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Keep it: what may change has no effect here, but for the name of what an instance lists."""
        if kind := _PARTS.get(self.type_name):
            name = new.get("Name", context.logical_id)
            parts = context.services.contact_center.parts
            parts.update(new["InstanceArn"], kind, existing.physical_id, name, new)
        return existing

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Forget it."""
        if kind := _PARTS.get(self.type_name):
            parts = context.services.contact_center.parts
            unless_gone(lambda: parts.delete(properties["InstanceArn"], kind, existing.physical_id))

    def _number(self, parent: str) -> str:
        self._numbers[parent] = self._numbers.get(parent, 0) + 1
        return str(self._numbers[parent])


class _Fields:
    """The values of the fields of one resource; each is made up once."""

    def __init__(self, context: Context, properties: dict[str, Any], number: Callable[[str], str]) -> None:
        self._context = context
        self._properties = properties
        self._number = number
        self.known: dict[str, str] = {}

    def fill(self, form: Any) -> Any:  # noqa: ANN401  (a text, or a list of texts)
        if isinstance(form, list):
            return [self.fill(one) for one in form]
        return _FIELD.sub(lambda found: self._value(found[1]), form)

    def _value(self, name: str) -> str:
        if name in self._properties:
            return str(self._properties[name])
        if name not in self.known:
            self.known[name] = self._made_up(name)
        return self.known[name]

    def _made_up(self, name: str) -> str:
        context = self._context
        made: dict[str, Callable[[], str]] = {
            "account": lambda: context.account,
            "region": lambda: context.region,
            "name": self._name,
            "uuid": lambda: str(uuid.uuid4()),
            "hex8": partial(secrets.token_hex, 4),
            "hex17": lambda: secrets.token_hex(9)[:17],
            "HEX10": lambda: secrets.token_hex(5).upper(),
            "HEX13": lambda: secrets.token_hex(7)[:13].upper(),  # noqa: PLW0108  (a new one each time)
            "byte": lambda: str(secrets.randbelow(254) + 1),
            "number": lambda: self._number(str(next(iter(self._properties.values()), ""))),
        }
        return made[name]() if name in made else ""

    def _name(self) -> str:
        given = self._properties.get("Name") or self._properties.get("DashboardName")
        return str(given or self._context.physical_name())


def _types() -> Iterator[ResourceType]:
    text = Path(__file__).with_name("recorded.json").read_text(encoding="utf-8")
    for name, told in json.loads(text).items():
        table: PropertyTable = dict.fromkeys(told["properties"], Recorded(told["why"]))
        kind = type(
            name.replace("::", ""),
            (RecordedType,),
            {
                "__doc__": f"{name}, without effect.",
                "type_name": name,
                "properties": table,
                "required": tuple(told["required"]),
                "replaced_by": frozenset(told["replaced_by"]),
                "attributes": tuple(told["attributes"]),
                "without_effect": told["why"],
                "id_form": told["id"],
                "attribute_forms": told["attributes"],
            },
        )
        yield kind()


TYPES = tuple(_types())
