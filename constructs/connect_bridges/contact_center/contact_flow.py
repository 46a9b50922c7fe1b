"""Publish a flow or a flow module from a JSON template that is checked before anything is deployed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_connect as connect
from aws_cdk import aws_iam as iam
from connect_flows import (
    Diagnostic,
    FlowKind,
    FlowTemplateError,
    LintContext,
    Severity,
    lint,
    render,
)

from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.shared.arguments import FLOW_NAME_LIMIT, check_flow_name, check_instance
from connect_bridges.shared.checks import ConstructArgumentError, Problems, check_choice, check_text
from connect_bridges.shared.places import data_folder
from connect_bridges.shared.tokens import comes_later
from constructs import Construct, IDependable

_FLOW_TYPE = "CONTACT_FLOW"


class ContactFlowError(ValueError):
    """A flow is not publishable; the message begins with the construct's path, and lists rule, block, place and fix."""

    def __init__(self, message: str, diagnostics: list[Diagnostic] | None = None) -> None:
        """Keep the linter's findings, if it was the linter that refused the template."""
        super().__init__(message)
        self.diagnostics = diagnostics or []


class ContactFlow(Construct):
    """A flow, or a flow module, of an Amazon Connect instance.

    The template is JSON in the flow language (Version 2019-10-30) with ``${Name}`` where a deploy-time value goes.
    It is linted at synth: CloudFormation would answer InvalidContactFlowException, name no block and roll the whole
    stack back. Errors stop the synthesis; warnings become annotations of this construct.
    """

    arn: str
    """ARN of the flow or of the module."""
    name: str
    """The published name, unique in the instance."""
    instance: ConnectInstance
    """Where it is published."""
    values: Mapping[str, str]
    """What each placeholder became."""
    resource: cdk.CfnResource
    """The CfnContactFlow or CfnContactFlowModule."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance: ConnectInstance,
        template: str | Path | Mapping[str, Any],
        values: Mapping[str, str] | None = None,
        kind: FlowKind = FlowKind.FLOW,
        flow_type: str = _FLOW_TYPE,
        name: str | None = None,
        description: str | None = None,
    ) -> None:
        """Check the template, fill it in and publish it.

        template: the name of a file that comes with connect-bridges (``"external_voice_transfer.json"``), a path,
            or a parsed document.
        values: what each placeholder becomes; CDK tokens are welcome. A placeholder without a value and a value
            without a placeholder are both errors.
        kind: publish as FLOW or as MODULE. flow_type: CreateContactFlow's Type, for flows only; another type is
            another flow, which needs another name too: with the old one Connect refuses it and the deployment rolls
            back.
        name: at most 127 characters, unique per instance and not shared with another environment on that instance.
            Default: made of the stack's name and the construct's path, so that two environments never clash.
        Raises ``ContactFlowError`` listing everything that is wrong with the template, and ``ConstructArgumentError``
        for other arguments; both are ``ValueError``.
        """
        super().__init__(scope, id)
        self._check(instance, values, kind, flow_type, name)
        kind = FlowKind(kind)  # its text would publish a flow
        self.instance = instance
        # evidence: flow-names-are-unique
        self.name = (
            name
            if name is not None
            else cdk.Names.unique_resource_name(self, max_length=FLOW_NAME_LIMIT, separator="-")
        )
        self._claim_name(kind)
        try:
            document, source = _load(template)
        except ContactFlowError as error:
            raise ContactFlowError(f"{self.node.path}: {error}") from error
        values = self.values = dict(values or {})
        for finding in self._lint(document, source, kind, flow_type):
            cdk.Annotations.of(self).add_warning_v2(
                f"connect-bridges:{finding.rule}:{finding.block}", str(finding)
            )
        try:
            content = render(document, values)
            known = render(document, {name: _known(name, value) for name, value in values.items()})
        except FlowTemplateError as error:
            raise ContactFlowError(f"{self.node.path}: {source}: {error}") from error
        # evidence: flow-language-knowledge
        # Once more with the values that are known by now: an empty text, a queue of another instance. What it warns
        # of (an ARN written into the flow) is what placeholders are for.
        self._lint(known, source, kind, flow_type, self._place())
        self.resource = self._publish(content, kind, flow_type, description)
        instance.chain("flows", self.resource)

    @property
    def flow_id(self) -> str:
        """The UUID at the end of the ARN."""
        return cdk.Fn.select(3, cdk.Fn.split("/", self.arn))

    def depends_on(self, *dependencies: IDependable) -> None:
        """Publish only after these, as after the association of a function that the flow invokes."""
        self.resource.node.add_dependency(*dependencies)

    def grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Grant actions on this flow, such as ``connect:StartOutboundVoiceContact``."""
        return iam.Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=[self.arn])

    def _check(
        self,
        instance: ConnectInstance,
        values: Mapping[str, str] | None,
        kind: FlowKind,
        flow_type: str,
        name: str | None,
    ) -> None:
        problems = Problems(self)
        check_instance(problems, self, instance)
        problems.collect(check_choice, "kind", kind, tuple(FlowKind))
        problems.collect(check_flow_name, "name", name)
        problems.collect(check_text, "flow_type", flow_type, "a type of flow, such as CONTACT_FLOW")
        if kind == FlowKind.MODULE and flow_type != _FLOW_TYPE:
            problems.add(
                f"flow_type is {flow_type!r} with kind FlowKind.MODULE: a module has no type; leave flow_type out, or "
                "publish with FlowKind.FLOW."
            )
        if values is not None and not isinstance(values, Mapping):
            problems.add(f"values is {values!r}; write a mapping of placeholders to texts.")
            values = None
        for placeholder, value in (values or {}).items():
            if not isinstance(value, str):
                problems.add(
                    f"values[{placeholder!r}] is {value!r} ({type(value).__name__}); write a text, such as "
                    f"{str(value)!r}."
                )
        problems.raise_all()

    def _claim_name(self, kind: FlowKind) -> None:
        """Refuse a name that another flow of the app has on the same instance: the second one would fail to deploy."""
        if comes_later(self.name):
            return
        arn = self.instance.instance_arn
        key = (self.instance.node.path if comes_later(arn) else arn, kind, self.name)
        # On the app's root, since two stacks may publish to one instance.
        claimed: dict[object, str] = self.node.root.__dict__.setdefault("_connect_bridges_flow_names", {})
        owner = claimed.setdefault(key, self.node.path)
        if owner != self.node.path:
            raise ConstructArgumentError(
                self.node.path,
                [
                    (
                        f"name is {self.name!r}, which {owner} has already: names of {kind.value}s are unique in an "
                        "instance; choose another, or leave it out."
                    )
                ],
            )

    def _lint(
        self,
        document: Mapping[str, Any] | str,
        source: str,
        kind: FlowKind,
        flow_type: str,
        context: LintContext | None = None,
    ) -> list[Diagnostic]:
        """Return the warnings; raise ContactFlowError for errors."""
        findings = lint(document, name=source, kind=kind, flow_type=flow_type, context=context)
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        if errors:
            listed = "\n".join(f"  {finding}" for finding in errors)
            raise ContactFlowError(
                f"{self.node.path}: Connect would refuse this {kind.value} ({len(errors)} problems):\n{listed}",
                errors,
            )
        return findings

    def _place(self) -> LintContext | None:
        arn = self.instance.instance_arn
        if comes_later(arn):
            return None
        return LintContext(
            account=self.instance.account, region=arn.split(":")[3], instance_id=self.instance.instance_id
        )

    def _publish(
        self, content: str, kind: FlowKind, flow_type: str, description: str | None
    ) -> connect.CfnContactFlow | connect.CfnContactFlowModule:
        # evidence: flow-update-keeps-arn
        if kind is FlowKind.MODULE:
            module = connect.CfnContactFlowModule(
                self,
                "Resource",
                instance_arn=self.instance.instance_arn,
                name=self.name,
                content=content,
                description=description,
            )
            self.arn = module.attr_contact_flow_module_arn
            return module
        flow = connect.CfnContactFlow(
            self,
            "Resource",
            instance_arn=self.instance.instance_arn,
            name=self.name,
            type=flow_type,
            content=content,
            description=description,
        )
        self.arn = flow.attr_contact_flow_arn
        return flow


def _known(name: str, value: str) -> str:
    """Return a value, or its placeholder if the value comes at deploy time only."""
    return f"${{{name}}}" if comes_later(value) else value


def load_template(name: str) -> dict[str, Any]:
    """Return a flow template that comes with connect-bridges, parsed, to be adapted before it is published."""
    document, _ = _load(name)
    return dict(document)


def _load(template: str | Path | Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    if isinstance(template, Mapping):
        return template, "<flow>"
    if not isinstance(template, (str, Path)):
        raise ContactFlowError(
            f"template is {template!r} ({type(template).__name__}); give the path of a JSON file, or a parsed flow."
        )
    path = Path(template)
    if not path.is_file() and path.name == str(template):
        path = data_folder("flows") / path.name
    if not path.is_file():
        raise ContactFlowError(
            f"There is no flow template {str(template)!r}; give the path of a JSON file, or the name of one that "
            "comes with connect-bridges."
        )
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ContactFlowError(f"{path.name} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ContactFlowError(f"{path.name} holds a {type(document).__name__}; a flow is a JSON object.")
    return document, path.name
