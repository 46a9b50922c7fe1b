"""What the external voice system learned reaches the contact: a table, an API, a function for the flow."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager

from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.metadata.api import MetadataApi
from connect_bridges.metadata.presets import MetadataPreset
from connect_bridges.shared.checks import check_range
from connect_bridges.shared.private_data import generated_secret, keyed_table, token_value
from connect_bridges.shared.runtime_function import RuntimeFunction
from constructs import Construct

_SECONDS_IN_A_YEAR = 31_536_000


class MetadataBridge(Construct):
    """Carries metadata from an external voice system back to the contact (guide 000, metadata passing).

    The vendor posts a JSON object for a contact id while it has the call; when the call is back, the flow asks the
    retrieve function for it. Amazon Connect cannot read SIP headers that come back, hence the detour.

    Per call: one table write, one consistent read, no scan. Metadata that nobody fetched expires.
    """

    table: dynamodb.ITableV2
    """The table: one item a contact, on demand, with point-in-time recovery."""
    token_secret: secretsmanager.ISecret
    """The token that the vendor sends; its current and its previous version are accepted."""
    store_function: lambda_.Function
    """Behind the API: validates and keeps the metadata."""
    authorize_function: lambda_.Function
    """Behind the API: accepts or refuses the token."""
    retrieve_function: lambda_.Function
    """For flows: returns a contact's metadata."""
    api: apigateway.RestApi
    """The REST API that the vendor posts to."""
    url: str
    """Where the vendor posts, without the query string."""
    token_header: str
    """The header in which the vendor sends the token."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance: ConnectInstance,
        preset: MetadataPreset | None = None,
        path: str | None = None,
        stage_name: str = "prod",
        table: dynamodb.ITableV2 | None = None,
        table_name: str | None = None,
        partition_key: str | None = None,
        ttl_attribute: str = "expiresAt",
        time_to_live: cdk.Duration | None = None,
        encryption_key: kms.IKey | None = None,
        token_secret: secretsmanager.ISecret | None = None,
        token_cache: cdk.Duration | None = None,
        throttling_rate_limit: float = 50,
        throttling_burst_limit: int = 100,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
        cloud_watch_role: bool = True,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        """Create the bridge; every argument but the instance has a safe default.

        preset: the names of a vendor's guide, as ``MetadataPreset.kore()``. path, table_name and partition_key
            override the preset's.
        table: use a table of your own, with partition_key as its key and ttl_attribute as its TTL attribute.
        time_to_live: how long unfetched metadata lives; 1 minute to 1 year, default 24 hours.
        encryption_key: a customer-managed key for table and token; default is keys that AWS manages.
        token_secret: a secret whose SecretString is the token; default is a generated one of 48 characters.
        token_cache: how long API Gateway and the authorizer trust a decision; 0 to 1 hour, default 5 minutes. A
            token that was rotated out twice is refused after this time at the latest.
        throttling_rate_limit, throttling_burst_limit: requests a second and burst, for the stage; above it 429.
        cloud_watch_role: create the account-wide role that API Gateway logs with. Turn it off where an
            organisation sets that role centrally; without either, the stage cannot write its access log.
        removal_policy: what happens to the data when the stack is deleted; RETAIN also protects the table from
            deletion.
        """
        super().__init__(scope, id)
        names = (preset or MetadataPreset.default()).with_overrides(
            path=path, table_name=table_name, partition_key=partition_key
        )
        time_to_live = time_to_live or cdk.Duration.hours(24)
        token_cache = cdk.Duration.minutes(5) if token_cache is None else token_cache
        check_range("time_to_live", time_to_live.to_seconds(), 60, _SECONDS_IN_A_YEAR, "seconds")
        check_range("token_cache", token_cache.to_seconds(), 0, 3600, "seconds")
        self._key = encryption_key

        self.table = table or keyed_table(
            self,
            name=names.table_name,
            partition_key=names.partition_key,
            time_to_live_attribute=ttl_attribute,
            encryption_key=self._key,
            removal_policy=removal_policy,
        )
        self.token_secret = token_secret or generated_secret(
            self,
            "Token",
            description=f"What the external voice system sends in the header {names.token_header}.",
            value=token_value(),
            encryption_key=self._key,
            removal_policy=removal_policy,
            why_no_schedule="The vendor has to be told the new token by hand, so a schedule would break calls. Rotate "
            "it with put-secret-value: the previous version stays valid until the next rotation.",
        )
        table_environment = {
            "TABLE_NAME": self.table.table_name,
            "KEY_ATTRIBUTE": names.partition_key,
            "TTL_ATTRIBUTE": ttl_attribute,
        }
        self.store_function = RuntimeFunction(
            self,
            "Store",
            module="metadata.store",
            description="Keeps what the external voice system posts for a contact.",
            timeout=cdk.Duration.seconds(10),
            environment={**table_environment, "TTL_SECONDS": str(int(time_to_live.to_seconds()))},
            function_name=names.store_function_name,
            log_retention=log_retention,
        )
        self.authorize_function = RuntimeFunction(
            self,
            "Authorize",
            module="metadata.authorize",
            description="Accepts or refuses the token that the external voice system sends.",
            timeout=cdk.Duration.seconds(10),
            environment={
                "TOKEN_SECRET_ARN": self.token_secret.secret_arn,
                "CACHE_SECONDS": str(int(token_cache.to_seconds())),
            },
            function_name=names.authorize_function_name,
            log_retention=log_retention,
        )
        self.retrieve_function = RuntimeFunction(
            self,
            "Retrieve",
            module="metadata.retrieve",
            description="Returns to the flow what the external voice system posted for the contact.",
            timeout=cdk.Duration.seconds(8),
            environment=table_environment,
            function_name=names.retrieve_function_name,
            log_retention=log_retention,
        )
        self._grant_least()
        api = MetadataApi(
            self,
            "Api",
            names=names,
            stage_name=stage_name,
            store_function=self.store_function,
            authorize_function=self.authorize_function,
            authorizer_cache=token_cache,
            throttling_rate_limit=throttling_rate_limit,
            throttling_burst_limit=throttling_burst_limit,
            log_retention=log_retention,
            cloud_watch_role=cloud_watch_role,
        )
        self.api = api.api
        self.url = api.url
        self.token_header = names.token_header
        self.association = instance.associate_function(self.retrieve_function)

    def metric_stored(self, **options: object) -> cloudwatch.Metric:
        """Count of requests that API Gateway took from the vendor."""
        return self.api.metric_count(**options)  # type: ignore[arg-type]

    def metric_client_errors(self, **options: object) -> cloudwatch.Metric:
        """Count of requests answered 4xx: wrong token, bad contact id, body too large, throttled."""
        return self.api.metric_client_error(**options)  # type: ignore[arg-type]

    def metric_server_errors(self, **options: object) -> cloudwatch.Metric:
        """Count of requests answered 5xx: metadata that did not arrive."""
        return self.api.metric_server_error(**options)  # type: ignore[arg-type]

    def metric_retrieve_errors(self, **options: object) -> cloudwatch.Metric:
        """Count of flow invocations that failed: calls that went on without metadata."""
        return self.retrieve_function.metric_errors(**options)  # type: ignore[arg-type]

    def _grant_least(self) -> None:
        """Grant each function the one call that it makes; the L2's grant_read and grant_write give ten."""
        self.table.grant(self.store_function, "dynamodb:PutItem")
        self.table.grant(self.retrieve_function, "dynamodb:GetItem")
        self.authorize_function.add_to_role_policy(
            cdk.aws_iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"], resources=[self.token_secret.secret_arn]
            )
        )
        if self._key:
            self._key.grant(self.store_function, "kms:Decrypt", "kms:GenerateDataKey")
            self._key.grant(self.retrieve_function, "kms:Decrypt")
            self._key.grant_decrypt(self.authorize_function)
