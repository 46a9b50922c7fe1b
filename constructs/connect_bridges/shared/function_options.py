"""How a bridge's functions run: network, tracing, size, logs; one value for every construct that makes functions."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from connect_bridges.shared.checks import Problems, check_kind, check_whole
from connect_bridges.shared.limits import MEMORY_SIZE_RANGE, MOST_LAYERS

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2


# Option, class (None: an interface of the CDK, which cannot be asked), what to write.
_KINDS: tuple[tuple[str, type | None, str], ...] = (
    ("vpc", None, 'ec2.Vpc.from_lookup(self, "Vpc", vpc_id="vpc-…")'),
    ("vpc_subnets", None, "ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)"),
    ("tracing", lambda_.Tracing, "lambda_.Tracing.ACTIVE"),
    ("architecture", lambda_.Architecture, "lambda_.Architecture.X86_64"),
    ("log_retention", logs.RetentionDays, "logs.RetentionDays.ONE_WEEK"),
    ("log_encryption_key", None, 'kms.Key.from_key_arn(self, "Key", "arn:aws:kms:…")'),
)
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+", re.ASCII)  # Lambda developer guide, environment variables
_MOST_CONCURRENT = 1_000_000


@dataclass(frozen=True, kw_only=True)
class FunctionOptions:
    """What a user of a construct may decide about its functions; ``None`` leaves it to the construct.

    vpc, vpc_subnets, security_groups: connect the functions to a VPC. They still have to reach the AWS services that
    they call, and the vendor if they call one: over a NAT gateway, or interface and gateway endpoints. The default is
    the VPC's private subnets with egress, and a security group of the functions' own.
    tracing: ``Tracing.ACTIVE`` sends traces to X-Ray. memory_size: MB, 128 to 10,240; less is less CPU as well.
    architecture: arm64 by default; the dependencies in the zip are those of the architecture.
    reserved_concurrent_executions: for each function, out of the account's; better set in ``overrides``.
    log_retention: one month by default. log_encryption_key: for the log groups. The policy of a key that is made in
    this app is extended so that CloudWatch Logs of this account and Region may use it; for an imported key a warning
    says what to add.
    layers: at most 5, for the architecture and the runtime (Python 3.14). environment: variables beside the
    construct's own, which it cannot replace.
    overrides: other options for single functions, by the name that the construct's documentation gives them, as in
    ``FunctionOptions(overrides={"Retrieve": FunctionOptions(reserved_concurrent_executions=50)})``.
    Raises ``ConstructArgumentError``, a ``ValueError``, naming every wrong option.
    """

    vpc: ec2.IVpc | None = None
    vpc_subnets: ec2.SubnetSelection | None = None
    security_groups: Sequence[ec2.ISecurityGroup] | None = None
    tracing: lambda_.Tracing | None = None
    memory_size: int | None = None
    architecture: lambda_.Architecture | None = None
    reserved_concurrent_executions: int | None = None
    log_retention: logs.RetentionDays | None = None
    log_encryption_key: kms.IKey | None = None
    layers: Sequence[lambda_.ILayerVersion] | None = None
    environment: Mapping[str, str] | None = None
    overrides: Mapping[str, FunctionOptions] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = Problems("FunctionOptions")
        if self.memory_size is not None:
            problems.collect(check_whole, "memory_size", self.memory_size, MEMORY_SIZE_RANGE, "MB")
        if self.reserved_concurrent_executions is not None:
            problems.collect(_check_concurrency, self.reserved_concurrent_executions)
        for name, kind, write in _KINDS:
            value = getattr(self, name)
            if value is not None:
                problems.collect(check_kind, name, value, write, kind)
        for name in ("layers", "security_groups"):
            problems.collect(_check_objects, name, getattr(self, name))
        problems.collect(_check_variables, self.environment)
        problems.collect(_check_overrides, self.overrides)
        problems.raise_all()

    def of(self, function: str) -> FunctionOptions:
        """Return the options of one function: these, with what ``overrides`` says about it.

        Variables of the environment are merged, everything else is replaced. Raises ``ValueError`` for a subnet or
        a security group without a VPC.
        """
        override = self.overrides.get(function)
        options = replace(self, overrides={})
        if override is not None:
            given = {one.name: getattr(override, one.name) for one in fields(override)}
            changed = {
                name: value for name, value in given.items() if value is not None and name != "overrides"
            }
            options = replace(options, **changed)
            if override.environment and self.environment:
                options = replace(options, environment={**self.environment, **override.environment})
        if options.vpc is None and (options.vpc_subnets or options.security_groups):
            raise ValueError(
                f"the function options of {function} name subnets or security groups and no VPC; add vpc."
            )
        return options

    def logging_with(self, key: kms.IKey | None) -> FunctionOptions:
        """Return these options, with a key for the log groups unless they name one; None changes nothing."""
        if key is None or self.log_encryption_key is not None:
            return self
        return replace(self, log_encryption_key=key)

    def check_names(self, functions: Collection[str]) -> None:
        """Raise ``ValueError`` if ``overrides`` names a function that the construct does not have."""
        unknown = sorted(set(self.overrides) - set(functions))
        if unknown:
            raise ValueError(
                f"function_options.overrides names {', '.join(map(repr, unknown))}; this construct's functions are "
                f"{', '.join(functions)}."
            )


def _check_concurrency(value: object) -> None:
    check_whole("reserved_concurrent_executions", value, (0, _MOST_CONCURRENT), "executions")


def _check_objects(setting: str, values: object) -> None:
    if values is None:
        return
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{setting} is {values!r}; write a list of objects.")
    for value in values:
        check_kind(f"{setting}[{values.index(value)}]", value, "an object of the CDK, not its id or ARN")
    if setting == "layers" and len(values) > MOST_LAYERS:
        raise ValueError(f"layers holds {len(values)}; Lambda adds at most {MOST_LAYERS} to a function.")


def _check_variables(variables: object) -> None:
    if variables is None:
        return
    if not isinstance(variables, Mapping):
        raise ValueError(f'environment is {variables!r}; write a mapping, such as {{"NAME": "value"}}.')
    for name, value in variables.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise ValueError(
                f"environment holds the name {name!r}; write a letter, then letters, digits and _, two at least."
            )
        if not isinstance(value, str):
            raise ValueError(
                f"environment[{name!r}] is {value!r} ({type(value).__name__}); write a text, such as {str(value)!r}."
            )


def _check_overrides(overrides: object) -> None:
    if not isinstance(overrides, Mapping):
        raise ValueError(
            f'overrides is {overrides!r}; write a mapping, such as {{"Retrieve": FunctionOptions(memory_size=512)}}.'
        )
    for name, options in overrides.items():
        check_kind(f"overrides[{name!r}]", options, "FunctionOptions(memory_size=512)", FunctionOptions)
        if options.overrides:
            raise ValueError(f"overrides[{name!r}] has overrides of its own; give them once, at the top.")
