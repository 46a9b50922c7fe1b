"""The REST API that a bridge opens to a vendor: how it is throttled, logged and reached; one value for every bridge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Literal

from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from connect_bridges.shared import limits
from connect_bridges.shared.checks import Problems, check, check_flag, check_kind, check_range, check_whole
from connect_bridges.shared.webhook_url import check_api_url, is_loopback


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    """What a user of a construct may decide about its API; the path belongs to the preset.

    throttling_rate_limit, throttling_burst_limit: requests a second (1 to 10,000) and at once (1 to 5,000); above them
    the API answers 429, or what its vendor understands instead. Where an authorizer knows the vendor they count its
    requests alone, so that nobody without the token can use them up.
    ceiling_rate_limit, ceiling_burst_limit: the same for everybody together, where the limits above count the vendor
    alone; default 1,000 and 2,000. Whoever wants to keep the vendor out has to send more than this.
    allowed_addresses: the only networks, in CIDR notation, from which the API answers: the vendor's, or those of a
    proxy in front. Empty lets every address in.
    public_url: the URL with its stage under which the vendor reaches the API, if a proxy or a custom domain stands in
    front of it. https; http on localhost and 127.0.0.1 only, for a fake.
    execute_api: whether the API also answers under its own execute-api host: "open", or "closed", which needs a custom
    domain of API Gateway. With a public_url it has to be said, or a proxy's addresses given as allowed_addresses:
    otherwise everybody could go around what stands in front.
    cloud_watch_role: create the role that API Gateway logs with, once a stack. It is a setting of the whole account in
    the Region: deploying replaces the role that is set there, for every REST API (`connect-bridges doctor` tells whose
    it is). Turn it off where an organisation sets it centrally; without either, the stage cannot be created.
    log_retention, log_encryption_key: of the access log; the key as in ``FunctionOptions``.
    tracing: send traces of the requests to X-Ray; the functions behind the API have
    ``FunctionOptions.tracing``.
    Raises ``ConstructArgumentError``, a ``ValueError``, naming every wrong option.
    """

    stage_name: str = limits.STAGE_NAME
    throttling_rate_limit: float = limits.THROTTLING_RATE_LIMIT
    throttling_burst_limit: int = limits.THROTTLING_BURST_LIMIT
    ceiling_rate_limit: float = limits.CEILING_RATE_LIMIT
    ceiling_burst_limit: int = limits.CEILING_BURST_LIMIT
    allowed_addresses: Sequence[str] = ()
    public_url: str | None = None
    execute_api: Literal["open", "closed"] | None = None
    cloud_watch_role: bool = True
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    log_encryption_key: kms.IKey | None = None
    tracing: bool = False

    def __post_init__(self) -> None:
        problems = Problems("ApiOptions")
        problems.collect(
            check,
            "stage_name",
            self.stage_name,
            limits.STAGE_NAME_TEXT,
            "a stage; write 1 to 128 letters, digits and _",
        )
        problems.collect(
            check_range,
            "throttling_rate_limit",
            self.throttling_rate_limit,
            limits.THROTTLING_RATE_LIMIT_RANGE,
            "requests a second",
        )
        problems.collect(
            check_whole,
            "throttling_burst_limit",
            self.throttling_burst_limit,
            limits.THROTTLING_BURST_LIMIT_RANGE,
            "requests",
        )
        problems.collect(
            check_range,
            "ceiling_rate_limit",
            self.ceiling_rate_limit,
            limits.THROTTLING_RATE_LIMIT_RANGE,
            "requests a second",
        )
        problems.collect(
            check_whole,
            "ceiling_burst_limit",
            self.ceiling_burst_limit,
            limits.THROTTLING_BURST_LIMIT_RANGE,
            "requests",
        )
        problems.collect(check_networks, self.allowed_addresses)
        if self.public_url is not None:
            problems.collect(
                check_api_url, "public_url", self.public_url, such_as="https://voice.example.com/prod"
            )
        problems.collect(check_execute_api, self.execute_api, self.public_url, self.allowed_addresses)
        problems.collect(check_flag, "cloud_watch_role", self.cloud_watch_role)
        if self.log_encryption_key is not None:
            problems.collect(
                check_kind,
                "log_encryption_key",
                self.log_encryption_key,
                'kms.Key.from_key_arn(self, "Key", "arn:aws:kms:…")',
            )
        problems.collect(check_flag, "tracing", self.tracing)
        problems.collect(
            check_kind,
            "log_retention",
            self.log_retention,
            "logs.RetentionDays.ONE_WEEK",
            logs.RetentionDays,
        )
        problems.raise_all()

    def logging_with(self, key: kms.IKey | None) -> ApiOptions:
        """Return these options, with a key for the access log unless they name one; None changes nothing."""
        if key is None or self.log_encryption_key is not None:
            return self
        return replace(self, log_encryption_key=key)

    def url(self, own_url: str, path: str) -> str:
        """Return where the vendor reaches a path: behind ``public_url``, or the API's own URL of it."""
        return f"{self.public_url.rstrip('/')}/{path}" if self.public_url else own_url


def check_networks(networks: object) -> None:
    """Check networks in CIDR notation, to which access is to be limited; raises ``ValueError``."""
    if isinstance(networks, str) or not isinstance(networks, Sequence):
        raise ValueError(f'allowed_addresses is {networks!r}; write a list, such as ["203.0.113.0/24"].')
    for network in networks:
        try:
            parsed = ip_network(network)
        except (ValueError, TypeError) as error:
            raise ValueError(
                f'allowed_addresses holds {network!r}; write networks in CIDR notation, such as "203.0.113.0/24" or '
                '"203.0.113.7/32".'
            ) from error
        if parsed.prefixlen == 0:
            raise ValueError(
                f"allowed_addresses holds {network!r}, which is every address; leave allowed_addresses out."
            )


def check_execute_api(execute_api: object, public_url: str | None, networks: Sequence[str]) -> None:
    """Check that nobody can go around what stands in front of an API unless that is meant; raises ``ValueError``."""
    if execute_api not in {None, "open", "closed"}:
        raise ValueError(f'execute_api is {execute_api!r}; write "open" or "closed".')
    if execute_api == "closed" and public_url is None:
        raise ValueError(
            'execute_api is "closed" and there is no public_url: nobody could reach the API. Give the URL of the '
            "custom domain as public_url."
        )
    said = execute_api is not None or len(networks) > 0
    if isinstance(public_url, str) and not said and not is_loopback(public_url):
        raise ValueError(
            f"public_url is {public_url!r}, and the API would answer under its execute-api host as well, around what "
            'stands in front. If it is a custom domain of API Gateway, add execute_api="closed"; if it is a proxy, '
            'give its addresses as allowed_addresses; if everybody may go around it, execute_api="open".'
        )


def check_path(path: str) -> None:
    """Check a preset's resource path; raises ``ValueError``."""
    check(
        "path",
        path,
        limits.RESOURCE_PATH,
        "a resource path; write letters, digits, - . _ and / between parts",
    )
