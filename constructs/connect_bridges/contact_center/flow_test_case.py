"""Deploy a test case of Amazon Connect's own testing, which ``connect-flows testcase`` made of a scenario."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_connect as connect
from aws_cdk import aws_iam as iam
from connect_flows import FlowTemplateError, placeholders, render

from connect_bridges.contact_center.contact_flow import ContactFlow
from connect_bridges.shared.checks import ConstructArgumentError, Problems, check_kind
from connect_bridges.shared.tokens import comes_later
from constructs import Construct, IDependable

FLOW_PLACEHOLDER = "FlowArn"
"""The placeholder that becomes the ARN of the flow under test."""
_VERSION = "2019-10-30"
_NAME_LIMIT, _DESCRIPTION_LIMIT, _TEXT_LIMIT = 127, 500, 256_000
"""Characters of Name, Description, and Content and InitializationData each: AWS::Connect::TestCase."""
_KEYS = ("Name", "Description", "EntryPoint", "InitializationData", "Content")
_NEEDED = ("Name", "EntryPoint", "Content")


class FlowTestCase(Construct):
    """A test case of a flow: Amazon Connect calls the flow without a caller, and compares what happens.

    The file comes from a scenario (``connect-flows testcase``), with ``${Name}`` where a deploy-time value goes.
    Nothing runs it on deployment: ``connect-flows testcase run`` does. A test is a real contact; functions that it does
    not mock are invoked.
    """

    arn: str
    """ARN of the test case."""
    name: str
    """Its name, unique in the instance."""
    resource: connect.CfnTestCase
    """The test case."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        flow: ContactFlow,
        case: str | Path | Mapping[str, Any],
        values: Mapping[str, str] | None = None,
        name: str | None = None,
        description: str | None = None,
    ) -> None:
        """Read the test case, fill it in and publish it after its flow.

        flow: the flow that it calls, which is not a module.
        case: the path of a file that ``connect-flows testcase -o`` wrote, or what such a file holds.
        values: placeholders that the flow's own values leave out, such as ``OpenHoursArn``; CDK tokens are welcome. A
            value without a placeholder is an error, one of the flow's is not.
        name: at most 127 characters, unique per instance. Default: the stack's name and that of the file.
        Raises ``ConstructArgumentError`` listing everything that is wrong.
        """
        super().__init__(scope, id)
        problems = Problems(self)
        problems.collect(check_kind, "flow", flow, "a ContactFlow", ContactFlow)
        problems.raise_all()
        if isinstance(flow.resource, connect.CfnContactFlowModule):
            problems.add("flow is a module, which Connect cannot call: test a flow that invokes it.")
        document = self._read(problems, case)
        problems.raise_all()
        filled = self._filled(problems, document, flow, dict(values or {}))
        self.name = self._named(name, str(document["Name"]))
        told = description if description is not None else document.get("Description")
        content = json.dumps(filled["Content"], ensure_ascii=False, separators=(",", ":"))
        initial = filled.get("InitializationData")
        initialization = json.dumps(initial, ensure_ascii=False) if initial is not None else None
        for what, text, limit in (
            ("name", self.name, _NAME_LIMIT),
            ("description", told or "", _DESCRIPTION_LIMIT),
            ("Content", content, _TEXT_LIMIT),
            ("InitializationData", initialization or "", _TEXT_LIMIT),
        ):
            if len(text) > limit and not (what == "name" and comes_later(text)):
                problems.add(
                    f"{what} has {len(text):,} characters; AWS::Connect::TestCase takes {limit:,}. Shorten it."
                )
        problems.raise_all()
        self._claim_name(flow)
        # evidence: test-case-status
        self.resource = connect.CfnTestCase(
            self,
            "Resource",
            instance_arn=flow.instance.instance_arn,
            name=self.name,
            description=told,
            entry_point=_entry_point(filled["EntryPoint"]),
            initialization_data=initialization,
            content=content,
            status="PUBLISHED",
        )
        self.arn = self.resource.attr_test_case_arn
        self._instance_arn = flow.instance.instance_arn
        self.resource.node.add_dependency(flow.resource)
        flow.instance.chain("test-cases", self.resource)

    def depends_on(self, *dependencies: IDependable) -> None:
        """Publish only after these, as after hours of operation that stand in."""
        self.resource.node.add_dependency(*dependencies)

    def grant_run(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let a principal run the test cases of this instance, as ``connect-flows testcase run`` does."""
        # evidence: test-case-permissions
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[
                "connect:ListTestCases",
                "connect:DescribeTestCase",
                "connect:StartTestCaseExecution",
                "connect:GetTestCaseExecutionSummary",
                "connect:ListTestCaseExecutionRecords",
            ],
            resource_arns=[self._instance_arn, f"{self._instance_arn}/test-case/*"],
        )

    def _read(self, problems: Problems, case: object) -> dict[str, Any]:
        if isinstance(case, Mapping):
            document: object = dict(case)
            source = "case"
        elif isinstance(case, (str, Path)):
            path = Path(case)
            source = path.name
            try:
                document = json.loads(path.read_text(encoding="utf-8"))
            except OSError as error:
                problems.add(
                    f"case is {str(case)!r}, which cannot be read ({error.strerror}): write it with "
                    "`connect-flows testcase SCENARIO --flow FLOW -o DIR`."
                )
                return {}
            except ValueError as error:
                problems.add(f"case is {str(case)!r}, which is not JSON: {error}.")
                return {}
        else:
            problems.add(f"case is {case!r}; give the path of a file, or what it holds.")
            return {}
        if not isinstance(document, dict):
            problems.add(f"{source} holds a {type(document).__name__}; a test case is a JSON object.")
            return {}
        self._check(problems, document, source)
        return document

    @staticmethod
    def _check(problems: Problems, document: Mapping[str, Any], source: str) -> None:
        for key in sorted(set(document) - set(_KEYS)):
            problems.add(
                f"{source} has {key!r}, which a test case's file has not; known: {', '.join(_KEYS)}."
            )
        for key in _NEEDED:
            if not document.get(key):
                problems.add(f"{source} has no {key}: write it anew with `connect-flows testcase`.")
        content = document.get("Content") or {}
        # evidence: test-case-version
        if (
            not isinstance(content, Mapping)
            or content.get("Version") != _VERSION
            or not content.get("Observations")
        ):
            problems.add(
                f"{source}: Content must have Version {_VERSION} and Observations; Connect refuses anything else."
            )
        # evidence: test-case-entry-point
        call = (document.get("EntryPoint") or {}).get("VoiceCallEntryPointParameters") or {}
        if "FlowId" in call and "DestinationPhoneNumber" in call:
            problems.add(
                f"{source}: EntryPoint has FlowId and DestinationPhoneNumber; Connect takes one of them."
            )

    def _filled(
        self, problems: Problems, document: Mapping[str, Any], flow: ContactFlow, values: dict[str, str]
    ) -> dict[str, Any]:
        needed = placeholders({key: value for key, value in document.items() if key != "Name"})
        if FLOW_PLACEHOLDER in values:
            problems.add(f"values has {FLOW_PLACEHOLDER}, which is the ARN of the flow: leave it out.")
        for unused in sorted(set(values) - needed - {FLOW_PLACEHOLDER}):
            problems.add(
                f"values[{unused!r}] has no placeholder in the test case: remove it or correct its name."
            )
        known = {**flow.values, **values, FLOW_PLACEHOLDER: flow.arn}
        for missing in sorted(needed - set(known)):
            problems.add(
                f"values lacks {missing}, which the test case needs and the flow's values do not have."
            )
        problems.raise_all()
        parts = {key: value for key, value in document.items() if key != "Name"}
        try:
            filled: dict[str, Any] = json.loads(render(parts, {name: known[name] for name in needed}))
        except FlowTemplateError as error:
            problems.add(str(error))
            problems.raise_all()
            raise
        return filled

    def _named(self, name: str | None, own: str) -> str:
        if name is not None:
            return name
        stack = cdk.Stack.of(self).stack_name
        if comes_later(stack):
            return cdk.Names.unique_resource_name(self, max_length=_NAME_LIMIT, separator="-")
        return f"{stack}: {own}"[:_NAME_LIMIT]

    def _claim_name(self, flow: ContactFlow) -> None:
        """Refuse a name that another test case of the app has on the same instance: it would fail to deploy."""
        if comes_later(self.name):
            return
        arn = flow.instance.instance_arn
        key = (flow.instance.node.path if comes_later(arn) else arn, self.name)
        claimed: dict[object, str] = self.node.root.__dict__.setdefault(
            "_connect_bridges_test_case_names", {}
        )
        owner = claimed.setdefault(key, self.node.path)
        if owner != self.node.path:
            raise ConstructArgumentError(
                self.node.path,
                [
                    (
                        f"name is {self.name!r}, which {owner} has already: names of test cases are unique in an "
                        "instance; choose another."
                    )
                ],
            )


def _entry_point(written: Mapping[str, Any]) -> connect.CfnTestCase.EntryPointProperty:
    call = written.get("VoiceCallEntryPointParameters")
    chat = written.get("ChatEntryPointParameters")
    return connect.CfnTestCase.EntryPointProperty(
        type=written.get("Type"),
        voice_call_entry_point_parameters=connect.CfnTestCase.VoiceCallEntryPointParametersProperty(
            flow_id=call.get("FlowId"),
            source_phone_number=call.get("SourcePhoneNumber"),
            destination_phone_number=call.get("DestinationPhoneNumber"),
        )
        if call
        else None,
        chat_entry_point_parameters=connect.CfnTestCase.ChatEntryPointParametersProperty(
            flow_id=chat["FlowId"]
        )
        if chat
        else None,
    )
