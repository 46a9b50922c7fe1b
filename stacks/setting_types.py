"""What the settings of every capability are made of: ARNs, numbers and texts, each checked with its fix."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any

from aws_cdk.region_info import Fact
from connect_bridges.shared.api_options import check_networks
from connect_bridges.shared.checks import (
    E164,
    FLOW_ARN,
    INSTANCE_ARN,
    QUEUE_ARN,
    TOPIC_ARN,
    VOICE_CONNECTOR_ARN,
    matches,
)
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


def _shape(shape: re.Pattern[str]) -> AfterValidator:
    return AfterValidator(lambda value: matches(value, shape))


def _account(value: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", value):
        raise ValueError(f"{value!r} is not an AWS account; write its 12 digits as a string")
    return value


def _region(value: str) -> str:
    if value not in Fact.regions:
        raise ValueError(f"{value!r} is not an AWS Region; write one such as us-east-1")
    return value


def _network(value: str) -> str:
    check_networks([value])
    return value


Account = Annotated[str, AfterValidator(_account)]
Region = Annotated[str, AfterValidator(_region)]
InstanceArn = Annotated[str, _shape(INSTANCE_ARN)]
QueueArn = Annotated[str, _shape(QUEUE_ARN)]
FlowArn = Annotated[str, _shape(FLOW_ARN)]
ConnectorArn = Annotated[str, _shape(VOICE_CONNECTOR_ARN)]
TopicArn = Annotated[str, _shape(TOPIC_ARN)]
PhoneNumber = Annotated[str, _shape(E164)]
SecretArn = Annotated[
    str, Field(pattern=r"^arn:aws[-a-z]*:secretsmanager:[-a-z0-9]+:[0-9]{12}:secret:\S+-[A-Za-z0-9]{6}$")
]
Network = Annotated[str, AfterValidator(_network)]
Prompt = Annotated[str | None, Field(min_length=1, max_length=6000)]


def bounded(default: int | None, bounds: tuple[int, int], *, unit: int = 1) -> Any:  # noqa: ANN401 (pydantic's Field is no type of its own)
    """Return a whole number's field with the limits of the construct.

    unit: how much one of the setting's units is in the limit's, as 60 for minutes of a limit in seconds. The default
    is in the limit's; None stays None, for a setting that leaves the choice to the construct.
    """
    low, high = bounds
    return Field(
        default=None if default is None else default // unit, ge=math.ceil(low / unit), le=high // unit
    )


def matching(shape: re.Pattern[str]) -> str:
    """Return the pattern of a text that has the shape as a whole, for ``Field(pattern=…)``."""
    return f"^(?:{shape.pattern})$"


Problem = tuple[str, str]
"""Key path, and what is wrong there with the fix."""


class SettingProblemsError(ValueError):
    """Settings that do not fit together; each problem has the key path of its place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Take key paths, relative to the settings that were checked, and messages."""
        super().__init__("; ".join(f"{path}: {message}" if path else message for path, message in problems))
        self.problems = tuple(problems)


class CamelSettings(BaseModel):
    """Camel-case keys, as in cdk.json; a key that does not exist is an error, not a surprise later."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=False, strict=True
    )
