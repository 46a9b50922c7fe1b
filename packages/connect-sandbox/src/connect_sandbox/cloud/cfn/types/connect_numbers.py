"""AWS::Connect::PhoneNumber, from the sandbox's pool of numbers that nobody has."""

from __future__ import annotations

from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType, merged_tags
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Only, PropertyTable, Recorded
from connect_sandbox.cloud.cfn.types.connect_support import center, unless_gone
from connect_sandbox.cloud.errors import AwsError

_TYPES = ("TOLL_FREE", "DID", "UIFN", "SHARED", "THIRD_PARTY_DID", "THIRD_PARTY_TF", "SHORT_CODE")


class PhoneNumber(ResourceType):
    """A claimed telephone number. Which flow it leads to, CloudFormation cannot say."""

    type_name = "AWS::Connect::PhoneNumber"
    properties: ClassVar[PropertyTable] = {
        "TargetArn": SUPPORTED,
        "Type": Only(_TYPES, "Connect knows no other"),
        "CountryCode": SUPPORTED,
        "Prefix": SUPPORTED,
        "Description": Recorded("a description is kept"),
        "SourcePhoneNumberArn": Only((), "numbers of other services cannot be brought along"),
        "Tags": TAGS,
    }
    required = ("TargetArn",)
    replaced_by = frozenset({"Type", "CountryCode", "Prefix", "SourcePhoneNumberArn"})
    attributes = ("PhoneNumberArn", "Address")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Claim a random free number."""
        missing = [name for name in ("Type", "CountryCode") if not properties.get(name)]
        if missing:
            raise AwsError("InvalidRequest", f"Required parameter missing {', '.join(missing)}")
        numbers = center(context).numbers
        number = numbers.claim_one(
            properties["TargetArn"],
            country=properties["CountryCode"],
            type_=properties["Type"],
            prefix=properties.get("Prefix", ""),
            description=properties.get("Description", ""),
            tags=merged_tags(context, properties.get("Tags")),
        )
        arn = numbers.arn(number)
        return Created(arn, {"PhoneNumberArn": arn, "Address": number.number})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Move the number to another instance, where it leads to no flow; or change its tags."""
        numbers = center(context).numbers
        _, number = numbers.find(existing.physical_id)
        if old["TargetArn"] != new["TargetArn"]:
            numbers.move(number.id, new["TargetArn"])
        number.description = new.get("Description", "")
        number.tags = merged_tags(context, new.get("Tags"))
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Release the number, which nobody can claim for 180 days."""
        unless_gone(lambda: center(context).numbers.release(existing.physical_id))


TYPES = (PhoneNumber(),)
