"""What the resource types of Amazon Connect share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connect_sandbox.cloud.cfn.resource import Context, Created
from connect_sandbox.cloud.contact_center import ContactCenter
from connect_sandbox.cloud.errors import AwsError

NOT_FOUND = "ResourceNotFoundException"


def center(context: Context) -> ContactCenter:
    """Return the contact centres of the account."""
    found: ContactCenter = context.services.contact_center
    return found


def unless_gone(delete: Callable[[], object]) -> None:
    """Delete; it is no error if it, or its instance, is already gone."""
    try:
        delete()
    except AwsError as error:
        if error.code != NOT_FOUND:
            raise


def refuse_other_instance(existing: Created, new: dict[str, Any]) -> None:
    """Refuse an InstanceArn other than the one that the resource is in, as the update handlers do.

    The schema lets it change, so CloudFormation tries, and the handler fails (InvalidRequest).
    """
    # evidence: instance-arn-in-rollback
    if not existing.physical_id.startswith(f"{new['InstanceArn']}/"):
        raise AwsError("InvalidRequest", "InstanceArn cannot be updated.")


def is_true(value: Any) -> bool:  # noqa: ANN401  (a template's boolean, or its text)
    """Return whether a template's boolean is true."""
    return str(value).lower() == "true"
