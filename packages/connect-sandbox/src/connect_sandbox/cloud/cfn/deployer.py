"""With whose rights CloudFormation works: those of the stack's role, if one was given that is no administrator.

What a resource type asks of moto over HTTP is checked request by request, with the ARNs that it really names. What it
asks of the sandbox's own services (Amazon Connect, Lambda, API Gateway, custom resources) has no request; it is listed
here, as CloudFormation's schemas and published handlers have it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from connect_sandbox.cloud.environment import make_client
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.moto import MOTO_URL, Moto, as_request, as_response
from connect_sandbox.cloud.principals import RolePrincipal
from connect_sandbox.iam.request_context import RequestContext

if TYPE_CHECKING:
    from connect_sandbox.cloud.authorization import Authorization

_SERVICE_ROLE = (
    "arn:aws:iam::{account}:role/aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect_new"
)
_INSTANCE = "arn:aws:connect:{region}:{account}:instance/new"
_API = "arn:aws:apigateway:{region}::/restapis/new"
_FUNCTION = "arn:aws:lambda:{region}:{account}:function:{stack}-new"
#: By type and operation: actions and what they are asked for, in braces what the stack tells. Sources: CloudFormation's
#: schemas (handlers' permissions) and aws-cloudformation-resource-providers-connect, where it is published.
_ASKED: Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]] = {
    "AWS::Connect::Instance": {
        "create": (
            ("connect:CreateInstance", "*"),
            ("ds:CreateIdentityPoolDirectory", "*"),
            ("ds:CreateAlias", "arn:aws:ds:{region}:{account}:directory/new"),
            ("ds:AuthorizeApplication", "arn:aws:ds:{region}:{account}:directory/new"),
            ("iam:CreateServiceLinkedRole", _SERVICE_ROLE),
            ("connect:DescribeInstance", _INSTANCE),
            ("connect:UpdateInstanceAttribute", _INSTANCE),
            ("iam:PutRolePolicy", _SERVICE_ROLE),
            ("logs:CreateLogGroup", "arn:aws:logs:{region}:{account}:log-group:/aws/connect/new"),
        ),
        "update": (("connect:UpdateInstanceAttribute", _INSTANCE),),
        "delete": (("connect:DeleteInstance", _INSTANCE),),
    },
    "AWS::Connect::InstanceStorageConfig": {
        "create": (
            ("connect:AssociateInstanceStorageConfig", _INSTANCE),
            ("iam:PutRolePolicy", _SERVICE_ROLE),
        ),
        "update": (
            ("connect:UpdateInstanceStorageConfig", _INSTANCE),
            ("iam:PutRolePolicy", _SERVICE_ROLE),
        ),
        "delete": (("connect:DisassociateInstanceStorageConfig", _INSTANCE),),
    },
    "AWS::Connect::ContactFlow": {
        "create": (("connect:CreateContactFlow", _INSTANCE),),
        "update": (
            ("connect:UpdateContactFlowMetadata", f"{_INSTANCE}/contact-flow/new"),
            ("connect:UpdateContactFlowContent", f"{_INSTANCE}/contact-flow/new"),
        ),
        "delete": (("connect:DeleteContactFlow", f"{_INSTANCE}/contact-flow/new"),),
    },
    "AWS::Connect::PhoneNumber": {
        "create": (
            ("connect:SearchAvailablePhoneNumbers", "*"),
            ("connect:ClaimPhoneNumber", _INSTANCE),
            ("connect:DescribePhoneNumber", "arn:aws:connect:{region}:{account}:phone-number/new"),
        ),
        "delete": (("connect:ReleasePhoneNumber", "arn:aws:connect:{region}:{account}:phone-number/new"),),
    },
    "AWS::Lambda::Function": {
        "create": (("lambda:CreateFunction", _FUNCTION), ("lambda:GetFunction", _FUNCTION)),
        "update": (("lambda:UpdateFunctionCode", _FUNCTION), ("lambda:UpdateFunctionConfiguration", _FUNCTION)),
        "delete": (("lambda:DeleteFunction", _FUNCTION),),
    },
    "AWS::Lambda::Permission": {
        "create": (("lambda:AddPermission", _FUNCTION),),
        "delete": (("lambda:RemovePermission", _FUNCTION),),
    },
    "AWS::ApiGateway::": {
        "create": (("apigateway:POST", _API),),
        "update": (("apigateway:PATCH", _API),),
        "delete": (("apigateway:DELETE", _API),),
    },
}  # fmt: skip
_SIMPLE = {
    "AWS::Connect::ContactFlowModule": ("connect:CreateContactFlowModule", "connect:DeleteContactFlowModule"),
    "AWS::Connect::HoursOfOperation": ("connect:CreateHoursOfOperation", "connect:DeleteHoursOfOperation"),
    "AWS::Connect::Queue": ("connect:CreateQueue", "connect:DeleteQueue"),
    "AWS::Connect::QuickConnect": ("connect:CreateQuickConnect", "connect:DeleteQuickConnect"),
    "AWS::Connect::RoutingProfile": ("connect:CreateRoutingProfile", "connect:DeleteRoutingProfile"),
    "AWS::Connect::SecurityProfile": ("connect:CreateSecurityProfile", "connect:DeleteSecurityProfile"),
    "AWS::Connect::TestCase": ("connect:CreateTestCase", "connect:DeleteTestCase"),
    "AWS::Connect::User": ("connect:CreateUser", "connect:DeleteUser"),
    "AWS::Connect::ApprovedOrigin": ("connect:AssociateApprovedOrigin", "connect:DisassociateApprovedOrigin"),
    "AWS::Connect::SecurityKey": ("connect:AssociateSecurityKey", "connect:DisassociateSecurityKey"),
    "AWS::Lambda::Version": ("lambda:PublishVersion", "lambda:DeleteFunction"),
    "AWS::Lambda::Alias": ("lambda:CreateAlias", "lambda:DeleteAlias"),
    "AWS::Lambda::LayerVersion": ("lambda:PublishLayerVersion", "lambda:DeleteLayerVersion"),
    "AWS::Lambda::EventSourceMapping": ("lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping"),
    "AWS::Lambda::EventInvokeConfig": (
        "lambda:PutFunctionEventInvokeConfig",
        "lambda:DeleteFunctionEventInvokeConfig",
    ),
    "AWS::AppIntegrations::Application": (
        "app-integrations:CreateApplication",
        "app-integrations:DeleteApplication",
    ),
}
"""Types that are made and deleted by one operation each."""
_ASSOCIATIONS = {
    "LAMBDA_FUNCTION": (("connect:AssociateLambdaFunction", _INSTANCE), ("lambda:AddPermission", _FUNCTION)),
    "LEX_BOT": (("connect:AssociateBot", _INSTANCE), ("iam:PutRolePolicy", _SERVICE_ROLE)),
    "APPLICATION": (
        ("connect:CreateIntegrationAssociation", _INSTANCE),
        ("app-integrations:CreateApplicationAssociation", "*"),
    ),
}
"""By the association's IntegrationType."""


class Deployer:
    """The role of a stack: boto3 clients that are checked, and checks of what has no request."""

    def __init__(
        self, role_arn: str, authorization: Authorization, place: tuple[str, str], moto: Moto
    ) -> None:
        """`place` is account and Region."""
        self._principal = RolePrincipal(role_arn, "AWSCloudFormation")
        self._authorization = authorization
        self._account, self._region = place
        self._moto = moto
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __call__(self, service: str) -> Any:  # noqa: ANN401  (a boto3 client)
        """Return the client of a service; a request that the role may not make is answered with AccessDenied."""
        with self._lock:
            if service not in self._clients:
                config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
                client = make_client(self._region, service, endpoint_url=MOTO_URL, config=config)
                client.meta.events.register("before-send", self._denial)
                client.meta.events.register("before-send", self._moto.in_account(self._account))
                self._clients[service] = client
            return self._clients[service]

    def require(self, kind: str, operation: str, properties: Mapping[str, Any], stack: str) -> None:
        """Raise AccessDenied unless the role may do what a type's handler asks of the sandbox's own services."""
        for action, resource, keys in _asked(kind, operation, properties):
            named = resource.format(account=self._account, region=self._region, stack=stack)
            context = RequestContext.of(dict(keys), [])
            decision = self._authorization.decide(self._principal, action, named, context=context)
            if not decision.allowed:
                raise AwsError("AccessDenied", decision.message, 403)

    def _denial(self, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        denied = self._authorization.check_request(self._principal, as_request(request))
        return None if denied is None else as_response(request, denied)


def _asked(
    kind: str, operation: str, properties: Mapping[str, Any]
) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Yield actions, resources and condition keys."""
    prefixed = (
        asked for prefix, asked in _ASKED.items() if prefix.endswith("::") and kind.startswith(prefix)
    )
    found = _ASKED.get(kind) or next(prefixed, {})
    for action, resource in (*found.get(operation, ()), *_by_property(kind, operation, properties)):
        keys = (("iam:AWSServiceName", "connect.amazonaws.com"),) if "ServiceLinked" in action else ()
        yield action, resource, keys
    if kind == "AWS::Connect::InstanceStorageConfig" and operation != "delete":
        key = _encryption_key(properties)
        if key:
            yield "kms:DescribeKey", key, ()
            yield "kms:CreateGrant", key, (("kms:GrantIsForAWSResource", "true"),)
    if kind == "AWS::Lambda::Function" and operation == "create":
        yield "iam:PassRole", str(properties["Role"]), (("iam:PassedToService", "lambda.amazonaws.com"),)


def _by_property(kind: str, operation: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what depends on a property, or on the type's one pair of operations."""
    if kind.startswith("Custom::"):
        yield "lambda:InvokeFunction", str(properties["ServiceToken"])
    elif kind in _SIMPLE and operation != "update":
        create, delete = _SIMPLE[kind]
        yield (create if operation == "create" else delete), "*"
    elif kind == "AWS::S3::BucketPolicy":
        action = "s3:DeleteBucketPolicy" if operation == "delete" else "s3:PutBucketPolicy"
        yield action, f"arn:aws:s3:::{properties['Bucket']}"
    elif kind == "AWS::Connect::IntegrationAssociation" and operation == "create":
        yield from _ASSOCIATIONS.get(str(properties["IntegrationType"]), ())
    elif kind == "AWS::Lambda::Function" and operation == "create":
        code = properties.get("Code", {})
        if "S3Bucket" in code:
            yield "s3:GetObject", f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}"


def _encryption_key(properties: Mapping[str, Any]) -> str:
    """Return the key of an association with a bucket or video streams; of data streams it makes no grant."""
    config = properties.get("S3Config") or properties.get("KinesisVideoStreamConfig") or {}
    return str(config.get("EncryptionConfig", {}).get("KeyId", ""))


DeployerOf = Callable[[str], "Deployer | None"]
"""Returns the deployer of a role's ARN; None for an administrator, whom nothing is denied."""
