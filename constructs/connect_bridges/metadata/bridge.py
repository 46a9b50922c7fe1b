"""What the external voice system learned reaches the contact: a table, an API, a function for the flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Unpack

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_connect as connect
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.metadata.api import MetadataApi
from connect_bridges.metadata.presets import MetadataPreset
from connect_bridges.shared.api_options import ApiOptions, check_path
from connect_bridges.shared.arguments import (
    check_encrypt_logs,
    check_function_options,
    check_instance,
    check_key,
    check_name,
    check_removal_policy,
    check_secret,
    check_table,
    check_value,
)
from connect_bridges.shared.checks import Problems, check_duration, check_flag
from connect_bridges.shared.description import describe, secret_fact
from connect_bridges.shared.function_options import FunctionOptions
from connect_bridges.shared.grants import grant_secret_read, grant_table
from connect_bridges.shared.metrics import MetricOptions, counted, summed
from connect_bridges.shared.monitoring import Monitoring, Watched
from connect_bridges.shared.private_data import (
    check_protection,
    generated_secret,
    keyed_table,
    token_value,
)
from connect_bridges.shared.runtime_function import RuntimeFunction
from connect_bridges.shared.runtime_modules import runtime_module
from connect_bridges.shared.table_guard import guard_table
from constructs import Construct

if TYPE_CHECKING:
    from runtime.metadata import limits
else:
    limits = runtime_module("metadata.limits")

FUNCTIONS = ("Store", "Authorize", "Retrieve", "Sign")
"""Names of the functions, for ``FunctionOptions.overrides``."""


class MetadataBridge(Construct):
    """Carries metadata from an external voice system back to the contact.

    The vendor posts a JSON object for a contact id while it has the call; when the call is back, the flow asks the
    retrieve function for it. Amazon Connect cannot read SIP headers that come back, hence the detour. Source: Kore's
    guide to external voice, metadata passing (docs/guides.md#voice-design-1).

    Per call: one table write, one consistent read, no scan. Metadata that nobody fetches expires.

    With ``contact_tokens`` the flow also signs the contact id and hands the signature to the vendor with the call: the
    vendor's token alone, should it leak, writes for nobody then.
    """

    table: dynamodb.ITableV2
    """The table: one item a contact, on demand, with point-in-time recovery."""
    token_secret: secretsmanager.ISecret
    """The token that the vendor sends; for one hour after a rotation the previous version is accepted, too."""
    store_function: lambda_.Function
    """Behind the API: validates and keeps the metadata."""
    authorize_function: lambda_.Function
    """Behind the API: accepts or refuses the token."""
    retrieve_function: lambda_.Function
    """For flows: returns a contact's metadata."""
    sign_function: lambda_.Function | None
    """For flows, with ``contact_tokens``: signs the contact id before the call goes out."""
    contact_key: secretsmanager.ISecret | None
    """With ``contact_tokens``: what contact ids are signed with; nobody but the functions needs it."""
    api: apigateway.RestApi
    """The REST API that the vendor posts to."""
    url: str
    """Where the vendor posts, without the query string."""
    token_header: str
    """The header in which the vendor sends the token."""
    contact_token_header: str | None
    """With ``contact_tokens``: the header in which the vendor sends what the SIP header User-to-User held."""
    association: connect.CfnIntegrationAssociation
    """Lets flows of the instance invoke the retrieve function."""
    sign_association: connect.CfnIntegrationAssociation | None
    """With ``contact_tokens``: lets flows of the instance invoke the sign function."""
    service_name: str
    """The dimension ``service`` of what the functions count."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance: ConnectInstance,
        preset: MetadataPreset | None = None,
        api: ApiOptions | None = None,
        table: dynamodb.ITableV2 | None = None,
        time_to_live: cdk.Duration | None = None,
        token_secret: secretsmanager.ISecret | None = None,
        token_cache: cdk.Duration | None = None,
        contact_tokens: bool = False,
        contact_token_lifetime: cdk.Duration | None = None,
        encryption_key: kms.IKey | None = None,
        encrypt_logs: bool = False,
        function_options: FunctionOptions | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        deletion_protection: bool = False,
    ) -> None:
        """Create the bridge; every argument but the instance has a safe default.

        preset: the names of a vendor's guide, as ``MetadataPreset.kore()``, or your own:
            ``MetadataPreset.default().with_overrides(path="voice/metadata")``.
        api: stage, throttling, logging of the API.
        table: use a table of your own, with the preset's partition_key as its key and its ttl_attribute as its TTL
            attribute.
        time_to_live: how long unfetched metadata is kept; 1 minute to 1 year, default 24 hours.
        token_secret: a secret whose SecretString is the token; default is a generated one of 48 characters.
        token_cache: how long API Gateway and the authorizer's function together trust a decision; 0 to 1 hour, default
            5 minutes, half of it for each. A token that was rotated out twice is refused after this time at the latest,
            as long as Secrets Manager can be read.
        contact_tokens: take metadata for a contact only with that contact's own token, which the flow of
            ``ExternalVoiceTransfer`` hands to the vendor in the SIP header User-to-User. It takes one more function
            and one more secret; each call then begins with one more invocation, and asks nothing more of the table.
        contact_token_lifetime: how long after the call went out its token counts; 1 minute to 12 hours, default 1 hour.
            Rotating ``contact_key`` ends tokens of before after one hour.
        encryption_key: a customer-managed key for table and token; default is keys that AWS manages. An imported
            table or secret whose key is not known to the CDK is read with this one as well.
        encrypt_logs: encrypt the log groups of functions and API with encryption_key, too. The policy of a key that is
            made in this app is extended so that CloudWatch Logs may use it; for an imported one a warning says how.
        function_options: VPC, tracing, memory, logs and so on of the functions Store, Authorize and Retrieve.
        removal_policy: what happens to the data when the stack is deleted; the default keeps it, and lets go of it
            only when the deployment that creates it fails. RETAIN keeps it then, too.
        deletion_protection: whether the table refuses to be deleted. Switch it on after the first deployment: it
            would block the rollback of one that fails (docs/recovery.md).
        Raises ``ConstructArgumentError``, a ``ValueError``, with the construct's path and every wrong argument.
        """
        super().__init__(scope, id)
        names = preset if preset is not None else MetadataPreset.default()
        if time_to_live is None:
            time_to_live = cdk.Duration.seconds(limits.TTL_SECONDS)
        if token_cache is None:
            token_cache = cdk.Duration.seconds(limits.TOKEN_CACHE_SECONDS)
        contact_token_lifetime = contact_token_lifetime or cdk.Duration.seconds(limits.CONTACT_TOKEN_SECONDS)
        options = api if api is not None else ApiOptions()
        self._encryption_key = encryption_key
        self._function_options = function_options if function_options is not None else FunctionOptions()
        problems = Problems(self)
        place = check_instance(problems, self, instance)
        problems.collect(
            check_value, "preset", names, MetadataPreset, "MetadataPreset.kore(), or a preset of your own"
        )
        problems.collect(check_value, "api", options, ApiOptions, 'ApiOptions(stage_name="prod")')
        problems.collect(check_duration, "time_to_live", time_to_live, limits.TTL_SECONDS_RANGE)
        problems.collect(check_duration, "token_cache", token_cache, limits.TOKEN_CACHE_SECONDS_RANGE)
        problems.collect(check_flag, "contact_tokens", contact_tokens)
        problems.collect(
            check_duration,
            "contact_token_lifetime",
            contact_token_lifetime,
            limits.CONTACT_TOKEN_SECONDS_RANGE,
        )
        check_key(problems, place, encryption_key, for_table=table is None)
        check_encrypt_logs(problems, encrypt_logs, encryption_key)
        check_secret(problems, place, "token_secret", token_secret)
        check_function_options(problems, self._function_options, FUNCTIONS)
        problems.collect(check_removal_policy, removal_policy)
        problems.collect(check_protection, removal_policy, deletion_protection=deletion_protection)
        if isinstance(names, MetadataPreset):
            _check_names(problems, names)
            if table is not None:
                check_table(
                    problems,
                    self,
                    table,
                    partition_key=names.partition_key,
                    time_to_live_attribute=names.ttl_attribute,
                    fixed_name=names.table_name,
                )
        problems.raise_all()
        if encrypt_logs:
            options = options.logging_with(encryption_key)
            self._function_options = self._function_options.logging_with(encryption_key)

        if table is None:
            guard_table(
                self,
                name=names.table_name,
                partition_key=names.partition_key,
                holds="calls that are under way would come back without their metadata",
            )
        self.table = table or keyed_table(
            self,
            name=names.table_name,
            partition_key=names.partition_key,
            time_to_live_attribute=names.ttl_attribute,
            encryption_key=encryption_key,
            removal_policy=removal_policy,
            deletion_protection=deletion_protection,
        )
        self.token_secret = token_secret or generated_secret(
            self,
            "Token",
            description=f"What the external voice system sends in the header {names.token_header}.",
            value=token_value(),
            encryption_key=encryption_key,
            removal_policy=removal_policy,
            why_no_schedule="The vendor has to be told the new token by hand, so a schedule would break calls. Rotate "
            "it with put-secret-value: the previous version stays valid for one hour.",
        )
        self.service_name = cdk.Names.unique_resource_name(self, max_length=64, separator="-")
        gateway_cache, function_cache = limits.shared_cache(int(token_cache.to_seconds()))
        vendor_key = cdk.Names.unique_resource_name(self, max_length=96) + "KnownToItsUsagePlan"
        self.contact_token_header, self.contact_key = (
            (names.contact_token_header, self._create_contact_key(removal_policy))
            if contact_tokens
            else (None, None)
        )
        self._create_functions(names, time_to_live, function_cache, vendor_key, contact_token_lifetime)
        self._grant_least()
        gateway = MetadataApi(
            self,
            "Api",
            names=names,
            options=options,
            store_function=self.store_function,
            authorize_function=self.authorize_function,
            authorizer_cache=cdk.Duration.seconds(gateway_cache),
            vendor_key=vendor_key,
        )
        self.api = gateway.api
        self.url = options.url(gateway.url, names.path)
        self.token_header = names.token_header
        # evidence: returned-headers-are-unreadable
        self.association = instance.associate_function(self.retrieve_function)
        self.sign_association = (
            instance.associate_function(self.sign_function) if self.sign_function else None
        )
        self._describe(
            instance,
            names,
            options,
            own_table=table is not None,
            own_secret=token_secret is not None,
            contact_token_lifetime=contact_token_lifetime,
        )

    def monitor(
        self,
        *,
        alarm_topic: sns.ITopic | None = None,
        thresholds: Mapping[str, float] | None = None,
        dashboard: cloudwatch.Dashboard | None = None,
        scope: Construct | None = None,
        id: str = "Monitoring",  # noqa: A002
    ) -> Monitoring:
        """Create alarms: StoreFailures, RetrieveFailures, AuthorizeFailures; with ``contact_tokens`` SignFailures.

        alarm_topic: where they go; without it they only change state. thresholds: counts within five minutes, by
        alarm name; default is 1 each. dashboard: one that gets widgets, below a heading with this construct's path;
        by itself the bridge makes none. scope, id: where the alarms live; default is below this construct.
        Raises ``ValueError`` for a threshold of an alarm that does not exist.
        """
        watched = {
            "StoreFailures": Watched(
                metric=self.metric_server_errors(**summed()),
                meaning="The metadata API answered with a server error: metadata of calls may be missing.",
            ),
            "RetrieveFailures": Watched(
                metric=self.metric_retrieve_errors(**summed()),
                meaning="Flows could not fetch metadata: calls went on without it.",
            ),
            "AuthorizeFailures": Watched(
                metric=self.metric_authorize_errors(**summed()),
                meaning="The token could not be checked: the vendor cannot post metadata.",
            ),
        }
        if self.sign_function:
            watched["SignFailures"] = Watched(
                metric=self.sign_function.metric_errors(**summed()),
                meaning="Contacts could not be signed: their calls went out without a token, and the vendor cannot "
                "post metadata for them.",
            )
        made = Monitoring(
            scope or self,
            id,
            watched=watched,
            alarm_topic=alarm_topic,
            thresholds=thresholds,
            dashboard=dashboard,
            heading=self.node.path,
        )
        made.add_to_shared([self._graphs()])
        return made

    def metric_stored(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of posts whose metadata is in the table, as the store function counts them; sum of five minutes."""
        return counted("MetadataStored", self.service_name, **options)

    def metric_requests(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of requests that reached the API, refused ones included."""
        return self.api.metric_count(**options)

    def metric_client_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of requests answered 4xx: wrong token, bad contact id, body too large, throttled."""
        return self.api.metric_client_error(**options)

    def metric_server_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of requests answered 5xx: metadata that did not arrive."""
        return self.api.metric_server_error(**options)

    def metric_retrieve_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of flow invocations that failed: calls that went on without metadata."""
        return self.retrieve_function.metric_errors(**options)

    def metric_authorize_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of tokens that could not be checked, whether right or wrong."""
        return self.authorize_function.metric_errors(**options)

    def _graphs(self) -> list[cloudwatch.IWidget]:
        return [
            cloudwatch.GraphWidget(
                title="Metadata: requests, stored, refused, failed",
                left=[
                    self.metric_requests(**summed()),
                    self.metric_stored(),
                    self.metric_client_errors(**summed()),
                    self.metric_server_errors(**summed()),
                ],
                width=12,
            ),
            cloudwatch.GraphWidget(
                title="Calls without their metadata; tokens that could not be checked",
                left=[self.metric_retrieve_errors(**summed()), self.metric_authorize_errors(**summed())],
                width=12,
            ),
        ]

    def _describe(
        self,
        instance: ConnectInstance,
        names: MetadataPreset,
        options: ApiOptions,
        *,
        own_table: bool,
        own_secret: bool,
        contact_token_lifetime: cdk.Duration,
    ) -> None:
        describe(
            self,
            "MetadataBridge",
            {
                "instanceArn": instance.instance_arn,
                "url": self.url,
                "restApiId": self.api.rest_api_id,
                "stageName": self.api.deployment_stage.stage_name,
                "cloudWatchRole": options.cloud_watch_role,
                "tokenHeader": self.token_header,
                "contactTokenHeader": self.contact_token_header,
                "contactTokenSeconds": int(contact_token_lifetime.to_seconds()) if self.contact_key else None,
                "table": {
                    "name": self.table.table_name,
                    "partitionKey": names.partition_key,
                    "timeToLiveAttribute": names.ttl_attribute,
                    "fixedName": None if own_table else names.table_name,
                },
                "secrets": {
                    "token": secret_fact(
                        self.token_secret, filled_by="owner" if own_secret else "deployment"
                    ),
                    **(
                        {"contactKey": secret_fact(self.contact_key, filled_by="deployment")}
                        if self.contact_key
                        else {}
                    ),
                },
                "functions": {
                    "Store": self.store_function.function_name,
                    "Authorize": self.authorize_function.function_name,
                    "Retrieve": self.retrieve_function.function_name,
                    **({"Sign": self.sign_function.function_name} if self.sign_function else {}),
                },
            },
        )

    def _create_functions(
        self,
        names: MetadataPreset,
        time_to_live: cdk.Duration,
        cache_seconds: int,
        vendor_key: str,
        contact_token_lifetime: cdk.Duration,
    ) -> None:
        table = {
            "TABLE_NAME": self.table.table_name,
            "KEY_ATTRIBUTE": names.partition_key,
            "TTL_ATTRIBUTE": names.ttl_attribute,
        }
        self.store_function = RuntimeFunction(
            self,
            "Store",
            module="metadata.store",
            description="Keeps what the external voice system posts for a contact.",
            timeout=cdk.Duration.seconds(13 if self.contact_key else 10),
            environment={
                **table,
                "TTL_SECONDS": str(int(time_to_live.to_seconds())),
                **(
                    {
                        "CONTACT_KEY_ARN": self.contact_key.secret_arn,
                        "CONTACT_TOKEN_HEADER": names.contact_token_header,
                    }
                    if self.contact_key
                    else {}
                ),
            },
            function_name=names.store_function_name,
            service_name=self.service_name,
            options=self._function_options,
        )
        self.authorize_function = RuntimeFunction(
            self,
            "Authorize",
            module="metadata.authorize",
            description="Accepts or refuses the token that the external voice system sends.",
            timeout=cdk.Duration.seconds(10),
            environment={
                "TOKEN_SECRET_ARN": self.token_secret.secret_arn,
                "CACHE_SECONDS": str(cache_seconds),
                "VENDOR_KEY": vendor_key,
            },
            function_name=names.authorize_function_name,
            service_name=self.service_name,
            options=self._function_options,
        )
        self.retrieve_function = RuntimeFunction(
            self,
            "Retrieve",
            module="metadata.retrieve",
            description="Returns to the flow what the external voice system posted for the contact.",
            timeout=cdk.Duration.seconds(8),
            environment=table,
            function_name=names.retrieve_function_name,
            service_name=self.service_name,
            options=self._function_options,
        )

        self.sign_function = self._create_sign_function(names, contact_token_lifetime)

    def _create_contact_key(self, removal_policy: cdk.RemovalPolicy) -> secretsmanager.ISecret:
        return generated_secret(
            self,
            "ContactKey",
            description="What the flow signs contact ids with, for the external voice system to show.",
            value=token_value(),
            encryption_key=self._encryption_key,
            removal_policy=removal_policy,
            why_no_schedule="Nobody outside knows it, and a call's token ends within hours. Rotate it with "
            "put-secret-value: the previous version stays valid for one hour.",
        )

    def _create_sign_function(self, names: MetadataPreset, lifetime: cdk.Duration) -> lambda_.Function | None:
        if self.contact_key is None:
            return None
        return RuntimeFunction(
            self,
            "Sign",
            module="metadata.sign",
            description="Signs the contact id for the external voice system, before the call goes out.",
            timeout=cdk.Duration.seconds(8),
            environment={
                "CONTACT_KEY_ARN": self.contact_key.secret_arn,
                "CONTACT_TOKEN_SECONDS": str(int(lifetime.to_seconds())),
            },
            function_name=names.sign_function_name,
            service_name=self.service_name,
            options=self._function_options,
        )

    def _grant_least(self) -> None:
        """Grant each function the calls that it makes: one, and reading the key to those that sign or check."""
        grant_table(self.table, self.store_function, "PutItem", key=self._encryption_key)
        grant_table(self.table, self.retrieve_function, "GetItem", key=self._encryption_key)
        grant_secret_read(self.token_secret, self.authorize_function, key=self._encryption_key)
        if self.contact_key and self.sign_function:
            grant_secret_read(self.contact_key, self.store_function, key=self._encryption_key)
            grant_secret_read(self.contact_key, self.sign_function, key=self._encryption_key)


def _check_names(problems: Problems, names: MetadataPreset) -> None:
    problems.collect(check_path, names.path)
    for setting, value, kind in (
        ("token_header", names.token_header, "header"),
        ("contact_token_header", names.contact_token_header, "header"),
        ("partition_key", names.partition_key, "attribute"),
        ("ttl_attribute", names.ttl_attribute, "attribute"),
        ("table_name", names.table_name, "table_name"),
        ("store_function_name", names.store_function_name, "function_name"),
        ("authorize_function_name", names.authorize_function_name, "function_name"),
        ("retrieve_function_name", names.retrieve_function_name, "function_name"),
        ("sign_function_name", names.sign_function_name, "function_name"),
        ("authorizer_name", names.authorizer_name, "api_name"),
        ("api_name", names.api_name, "api_name"),
    ):
        problems.collect(check_name, f"preset.{setting}", value, kind)
    if names.partition_key == names.ttl_attribute:
        problems.add(
            f"preset.partition_key and preset.ttl_attribute are both {names.partition_key!r}; DynamoDB needs two."
        )
    if names.token_header.lower() == names.contact_token_header.lower():
        problems.add(
            f"preset.token_header and preset.contact_token_header are both {names.token_header!r}; each token needs a "
            "header of its own."
        )
    functions = [
        names.store_function_name,
        names.authorize_function_name,
        names.retrieve_function_name,
        names.sign_function_name,
    ]
    given = [name for name in functions if name is not None]
    if len(set(given)) < len(given):
        problems.add(
            f"preset names two functions the same: {', '.join(map(repr, given))}; give each a name of its own."
        )
