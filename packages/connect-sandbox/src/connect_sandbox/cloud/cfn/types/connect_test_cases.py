"""AWS::Connect::TestCase, on the sandbox's Connect. CloudFormation stores test cases; it runs none."""

from __future__ import annotations

from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType, merged_tags
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_sandbox.cloud.cfn.types.connect_support import refuse_other_instance, unless_gone
from connect_sandbox.cloud.test_cases import TestCase as StoredTestCase
from connect_sandbox.cloud.test_cases import TestCases, moment

_NAMES = {
    "Name": "name",
    "Content": "content",
    "Description": "description",
    "EntryPoint": "entry_point",
    "InitializationData": "initialization_data",
    "Status": "status",
}


class TestCase(ResourceType):
    """A test case. Content that Connect refuses fails the deployment, if the status is PUBLISHED."""

    __test__ = False
    type_name = "AWS::Connect::TestCase"
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "Name": SUPPORTED,
        "Content": SUPPORTED,
        "Description": Recorded("a description is kept"),
        "EntryPoint": Nested(
            {
                "Type": Only(("VOICE_CALL", "CHAT"), "Connect knows no other"),
                "VoiceCallEntryPointParameters": Nested(
                    {
                        "FlowId": SUPPORTED,
                        "SourcePhoneNumber": SUPPORTED,
                        "DestinationPhoneNumber": SUPPORTED,
                    }
                ),
                "ChatEntryPointParameters": Nested({"FlowId": SUPPORTED}),
            }
        ),
        "InitializationData": SUPPORTED,
        "Status": Only(("SAVED", "PUBLISHED"), "Connect knows no other"),
        "Tags": TAGS,
    }
    required = ("InstanceArn", "Name", "Content")
    attributes = ("TestCaseArn", "LastModifiedTime", "LastModifiedRegion")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the test case."""
        given = {_NAMES[name]: value for name, value in properties.items() if name in _NAMES}
        tags = merged_tags(context, properties.get("Tags"))
        made = _test_cases(context).create(properties["InstanceArn"], **given, tags=tags)
        return _created(context, made)

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Update what changed; a test case cannot move to another instance."""
        refuse_other_instance(existing, new)
        defaults = {"Description": "", "Status": "SAVED"}
        changes = {
            attribute: new.get(name, defaults.get(name))
            for name, attribute in _NAMES.items()
            if old.get(name) != new.get(name)
        }
        made = _test_cases(context).update(new["InstanceArn"], existing.physical_id, **changes)
        made.tags = merged_tags(context, new.get("Tags"))
        return _created(context, made)

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Delete the test case."""
        unless_gone(lambda: _test_cases(context).delete(properties["InstanceArn"], existing.physical_id))


def _test_cases(context: Context) -> TestCases:
    found: TestCases = context.services.test_cases
    return found


def _created(context: Context, made: StoredTestCase) -> Created:
    modified = moment(made.modified)
    return Created(
        made.arn,
        {
            "TestCaseArn": made.arn,
            "LastModifiedTime": modified.isoformat() if modified else "",
            "LastModifiedRegion": context.region,
        },
    )


TYPES = (TestCase(),)
