"""The REST API that a bridge opens to a vendor: how it is throttled, logged and reached; one value for every bridge."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from connect_bridges.shared import limits
from connect_bridges.shared.checks import Problems, check, check_flag, check_kind, check_range, check_whole
from connect_bridges.shared.webhook_url import check_api_url


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    """What a user of a construct may decide about its API; the path belongs to the preset.

    throttling_rate_limit, throttling_burst_limit: requests a second (1 to 10,000) and at once (1 to 5,000), for the
    stage; above them the API answers 429, or what its vendor understands instead.
    public_url: the URL with its stage under which the vendor reaches the API, if a proxy or a custom domain stands in
    front of it. https; http on localhost and 127.0.0.1 only, for a fake.
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
    public_url: str | None = None
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
        if self.public_url is not None:
            problems.collect(
                check_api_url, "public_url", self.public_url, such_as="https://voice.example.com/prod"
            )
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


def check_path(path: str) -> None:
    """Check a preset's resource path; raises ``ValueError``."""
    check(
        "path",
        path,
        limits.RESOURCE_PATH,
        "a resource path; write letters, digits, - . _ and / between parts",
    )
