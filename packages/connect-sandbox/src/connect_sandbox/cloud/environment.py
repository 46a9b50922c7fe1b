"""The account and Region that a sandbox is, and the environment that points commands at it."""

from __future__ import annotations

import os
import re
import threading
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3

ACCOUNT = "123456789012"
REGION = "us-east-1"
#: The access key of the developer, who may do everything: the CDK command line and tests use it.
ADMIN_ACCESS_KEY = "test"
_ONE_AT_A_TIME = threading.Lock()

_ACCOUNT = re.compile(r"\d{12}")


def check_place(account: str, region: str) -> None:
    """Raise ValueError for what is no account or no Region of the partition aws."""
    if not _ACCOUNT.fullmatch(account):
        raise ValueError(f"{account!r} is no AWS account: give 12 digits, for example 123456789012")
    known = session(region).get_available_regions("s3")
    if region not in known:
        near = get_close_matches(region, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"for example {', '.join(sorted(known)[-3:])}"
        raise ValueError(f"{region!r} is no Region of the partition aws that the sandbox knows: {hint}")


def account_of_key(access_key: str) -> str | None:
    """Return the account whose developer has this access key; None for "test", the sandbox's own, and all others."""
    return access_key if _ACCOUNT.fullmatch(access_key) else None


@cache
def session(region: str) -> boto3.Session:
    """Return a session with the developer's permissions, whatever profile and settings this machine has."""
    # Now: what only needs the variables below starts without the SDK.
    import boto3  # noqa: PLC0415
    import botocore.session  # noqa: PLC0415

    own = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    return boto3.Session(
        aws_access_key_id=ADMIN_ACCESS_KEY,
        aws_secret_access_key="test",  # noqa: S106  (nobody checks it)
        region_name=region,
        botocore_session=own,
    )


def make_client(
    region: str,
    service: str,
    *,
    access_key: str = "",
    **told: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401  (boto3's clients have no common type)
    """Return a boto3 client; `told` is what Session.client takes. `access_key` is another developer's.

    With the developer's permissions, unless credentials are told. All clients of a Region come from one session: the
    second of a service costs 3 ms, in a session of its own 50.
    """
    if access_key:
        told |= {"aws_access_key_id": access_key, "aws_secret_access_key": "test"}
    with _ONE_AT_A_TIME:  # sessions are not for several threads
        return session(region).client(service, **told)


def sandbox_environment(
    endpoint_url: str, account: str, region: str, *, cdk_home: Path, access_key: str = ADMIN_ACCESS_KEY
) -> dict[str, str]:
    """Return the variables that point the CDK, the AWS CLI and the SDKs at a sandbox, and keep AWS's own out.

    `cdk_home` is where the CDK command line keeps what it knows of accounts, instead of the user's ~/.cdk.
    """
    return {
        **client_environment(endpoint_url, region, access_key),
        "CDK_DEFAULT_ACCOUNT": account,
        "CDK_DEFAULT_REGION": region,
        "CDK_HOME": str(cdk_home),
        # No network access for versions, notices and statistics.
        "CDK_DISABLE_VERSION_CHECK": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_NOTICES": "false",
        "CI": "true",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "NO_COLOR": "1",
    }


def client_environment(endpoint_url: str, region: str, access_key: str = ADMIN_ACCESS_KEY) -> dict[str, str]:
    """Return the variables that point the AWS CLI and the SDKs at a sandbox."""
    return {
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # No credentials, profiles or settings of this machine, and no requests to EC2's metadata service.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
