"""AWS as the commands ask it: a session, time limits, and what a refusal means for the person who runs a command."""

from __future__ import annotations

import re

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

READ = Config(connect_timeout=10, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
"""The limits of a request that only reads: three attempts of at most 30 s."""

DENIED = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"),
        *("ForbiddenException", "UnauthorizedOperation"),
    }
)
"""Error codes with which AWS refuses for want of a permission."""
_NAMED = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)")
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
UNKNOWN_CREDENTIALS = frozenset(
    {
        *("InvalidClientTokenId", "UnrecognizedClientException", "InvalidSignatureException"),
        *("SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken"),
    }
)
NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    LoginError,
    SSOError,
    TokenRetrievalError,
)


class AwsError(Exception):
    """AWS was not asked, or did not answer as it should; the message says what failed and what to do."""


def session(*, region: str | None = None, profile: str | None = None) -> boto3.Session:
    """Return a session with a Region; default: boto3's own choice of both. Raises AwsError."""
    try:
        made = boto3.Session(region_name=region, profile_name=profile)
    except BotoCoreError as error:
        raise unanswered(error, profile=profile) from error
    if made.region_name is None:
        raise AwsError(
            "no AWS Region is set. Name the Region of the stack: --region us-east-1, or the variable "
            "AWS_DEFAULT_REGION, or `aws configure set region`."
        )
    return made


def code(error: ClientError) -> str:
    """Return AWS's error code, such as AccessDeniedException."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def message(error: ClientError) -> str:
    """Return AWS's own words, in one line."""
    return " ".join(str(error.response.get("Error", {}).get("Message", "")).split())


def named_action(words: str) -> str | None:
    """Return the IAM action that AWS's words name as refused; some requests need those of others as well."""
    named = _NAMED.search(words)
    return named[1] if named else None


def ends_the_run(error: ClientError | BotoCoreError) -> bool:
    """Tell whether whoever asks has no credentials, or none that AWS takes: every other request would fail as well."""
    if isinstance(error, ClientError):
        return code(error) in EXPIRED | UNKNOWN_CREDENTIALS
    return isinstance(error, (*NO_CREDENTIALS, ProfileNotFound))


def region_in(place: str) -> str | None:
    """Return the Region of an ARN (arn:partition:service:region:account:…), None for a plain name."""
    parts = place.split(":")
    return parts[3] if len(parts) > 5 and parts[0] == "arn" else None


def refused(error: ClientError, doing: str, action: str) -> str:
    """Return what to tell of a refusal: what was to be done, as in "read the stack x", and the IAM action for it.

    An action that AWS itself names counts instead.
    """
    found, words = code(error), message(error)
    if found in DENIED:
        return f"you may not {doing} ({words}). Let your role or user call {named_action(words) or action}."
    if found in EXPIRED:
        return f"your AWS credentials have expired ({found}). Sign in again, as with `aws sso login`."
    if found in UNKNOWN_CREDENTIALS:
        return (
            f"AWS does not take your credentials ({found}: {words}). Check --profile and the variables AWS_*."
        )
    return f"AWS did not let you {doing} ({found}: {words}). Run the command again later."


def unanswered(error: BotoCoreError, *, profile: str | None = None) -> AwsError:
    """Return what to raise when AWS could not be asked at all."""
    if isinstance(error, ProfileNotFound):
        return AwsError(
            f"there is no profile {profile or 'of that name'!r} in your AWS configuration. "
            "`aws configure list-profiles` lists those that there are."
        )
    if isinstance(error, NO_CREDENTIALS):
        return AwsError(
            f"no usable AWS credentials were found ({error}). Sign in, as with `aws sso login`, name a profile with "
            "--profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    return AwsError(
        f"AWS could not be asked: {error}. Check network, proxy and --region, and run the command again."
    )
