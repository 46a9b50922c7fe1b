"""Telephone numbers of an instance, and which flow answers them.

CloudFormation claims and releases a number, and has no way to say which flow answers it: a custom resource does,
runtime/contact_center/number_flow.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_connect as connect
from aws_cdk import aws_iam as iam

from connect_bridges.contact_center.parts import (
    BEYOND_GOVCLOUD,
    InstancePart,
    arn_of,
    claim,
    group,
    number_arn_of,
)
from connect_bridges.shared.arguments import check_function_options, check_removal_policy
from connect_bridges.shared.checks import Problems, check, check_choice
from connect_bridges.shared.function_options import FunctionOptions
from connect_bridges.shared.grants import role_of
from connect_bridges.shared.identity_guard import SAID, guard_identity
from connect_bridges.shared.regions import Place
from connect_bridges.shared.runtime_function import RuntimeFunction
from connect_bridges.shared.tokens import comes_later

if TYPE_CHECKING:
    from connect_bridges.contact_center.connect_instance import ConnectInstance
    from connect_bridges.contact_center.contact_flow import ContactFlow

FUNCTIONS = ("Function",)
"""Names of the functions, for ``FunctionOptions.overrides``."""
# CloudFormation's schema of AWS::Connect::PhoneNumber.
NUMBER_TYPES = ("DID", "TOLL_FREE", "UIFN", "SHARED", "THIRD_PARTY_DID", "THIRD_PARTY_TF", "SHORT_CODE")
COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
PREFIX = re.compile(r"\+[0-9]{1,15}", re.ASCII)


def claim_number(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    *,
    country_code: str,
    number_type: str,
    prefix: str | None,
    description: str | None,
    removal_policy: cdk.RemovalPolicy,
) -> InstancePart:
    """Claim a number."""
    problems = Problems(instance)
    Place(instance).check_region(
        problems, having=BEYOND_GOVCLOUD, feature="AWS::Connect::PhoneNumber", region=instance.region
    )
    problems.collect(check, "country_code", country_code, COUNTRY, "a country of ISO 3166-1, as in US")
    problems.collect(check_choice, "number_type", number_type, NUMBER_TYPES)
    if prefix is not None:
        problems.collect(
            check,
            "prefix",
            prefix,
            PREFIX,
            "the beginning of a number with +, country code and digits: +1206",
        )
    if description is not None:
        problems.collect(check, "description", description, re.compile(r"\S.{0,499}"), "1 to 500 characters")
    problems.collect(check_removal_policy, removal_policy)
    problems.raise_all()
    number = connect.CfnPhoneNumber(
        group(instance, "Numbers"),
        id,
        target_arn=instance.instance_arn,
        country_code=country_code,
        type=number_type,
        prefix=prefix,
        description=description,
    )
    _guard(instance, id, "/".join(filter(None, (country_code, number_type, prefix))))
    # evidence: number-cooldown
    number.apply_removal_policy(removal_policy)
    instance.chain("numbers", number)
    return InstancePart(number.attr_phone_number_arn, number.attr_address, number)


def _guard(instance: ConnectInstance, id: str, identity: str) -> None:  # noqa: A002
    """Refuse a deployment that would claim another number in place of the one that callers know."""
    place = group(instance, "Numbers")
    # evidence: number-description-in-place
    guard_identity(
        place,
        parameter=f"{id}Identity",
        rule=f"{id}Stays",
        identity=identity,
        written=f"Country, type and prefix of the number {place.node.path}/{id}",
        refusal=(
            f"{place.node.path}/{id}: country, type and prefix would become {identity}, which a telephone number "
            "cannot change: CloudFormation would claim another number, and nobody would answer the one that callers "
            "know. Set country_code, number_type and prefix back, and claim the other number with an id of its own. If "
            f"callers are to call another number, deploy once with {SAID}; the old one stays with the instance unless "
            "its removal policy is DESTROY."
        ),
    )


def answer(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    number: InstancePart | str,
    flow: ContactFlow | str,
    *,
    function_options: FunctionOptions | None,
) -> cdk.CustomResource:
    """Let a flow answer a number."""
    problems = Problems(instance)
    flow_arn = arn_of(
        problems,
        instance,
        "flow",
        flow,
        kind="contact-flow",
        write='a ContactFlow, or "arn:aws:connect:…:instance/UUID/contact-flow/UUID"',
    )
    number_arn = number_arn_of(problems, instance, "number", number)
    check_function_options(problems, function_options, FUNCTIONS)
    problems.raise_all()
    claim(instance, "number's flow", number_arn, f"a flow for {number_arn!r} already; a number has one.")
    place = group(instance, "NumberFlows")
    found = place.node.try_find_child("Function")
    function = (
        found
        if isinstance(found, RuntimeFunction)
        else RuntimeFunction(
            place,
            "Function",
            module="contact_center.number_flow",
            description="Lets flows answer telephone numbers, for CloudFormation.",
            timeout=cdk.Duration.minutes(3),
            options=function_options,
        )
    )
    # evidence: number-flow-permissions
    policy = iam.Policy(
        place,
        f"{id}Access",
        statements=[
            iam.PolicyStatement(
                sid="Associates",
                actions=["connect:AssociatePhoneNumberContactFlow"],
                resources=[number_arn, flow_arn],
            ),
            iam.PolicyStatement(
                sid="Dissociates",
                actions=["connect:DisassociatePhoneNumberContactFlow"],
                resources=[number_arn],
            ),
        ],
    )
    policy.attach_to_role(role_of(function))
    resource = cdk.CustomResource(
        place,
        id,
        resource_type="Custom::PhoneNumberFlow",
        service_token=function.function_arn,
        service_timeout=cdk.Duration.minutes(4),
        properties={
            "InstanceId": instance.instance_id,
            "PhoneNumberId": _last(number_arn),
            "ContactFlowId": _last(flow_arn),
        },
    )
    resource.node.add_dependency(policy)
    made = resource.node.default_child
    if isinstance(made, cdk.CfnResource):
        instance.chain("number flows", made)
    address = number.name if isinstance(number, InstancePart) else None
    told = {"arn": number_arn, "flowArn": flow_arn}
    instance.note("numbers", told | ({"number": address} if address else {}))
    return resource


def _last(arn: str) -> str:
    """Return the UUID at the end of an ARN; of one that comes later the ARN, out of which the function cuts it.

    Fn::Split, which could do it, does not take the output of another stack everywhere.
    """
    return arn if comes_later(arn) else arn.rpartition("/")[2]
