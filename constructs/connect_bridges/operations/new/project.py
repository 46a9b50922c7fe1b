"""The files of a new app, as texts by path."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from connect_flows import FlowKind

from connect_bridges.operations.new.environments import FIRST, LOCAL, Environment, in_sandbox
from connect_bridges.operations.new.exports import (
    BOT,
    FUNCTION,
    PHONE_NUMBER,
    ExportedFlow,
    Exports,
    Resource,
)
from connect_bridges.operations.new.naming import TAKEN, identifier, pascal, slug, unique, words

PINNED = {
    "aws-cdk": "2.1148.1",
    "aws-cdk-lib": "2.275.0",
    "constructs": "10.8.1",
    "mypy": "2.4.1",
    "pytest": "9.2.0",
    "ruff": "0.17.5",
}
"""Versions that a new app pins: those that this version of connect-bridges was tested with."""
_LINE = 110
"""Characters of a line of code in a new app."""
_STATIC = {
    "Makefile": "Makefile.txt",
    "pyproject.toml": "pyproject.toml.txt",
    ".gitignore": "gitignore.txt",
    ".github/workflows/ci.yml": "ci.yml.txt",
    "tests/test_flows.py": "test_flows.py.txt",
}


@dataclass(frozen=True)
class App:
    """An app to be written.

    name: as people write it. version: of connect-bridges. unplayed: files of flows without scenarios, with the reason.
    """

    name: str
    version: str
    exports: Exports
    environments: Sequence[Environment]
    unplayed: Mapping[str, str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """What the names of its stacks begin with."""
        return slug(self.name)

    @property
    def class_name(self) -> str:
        """The stack's class."""
        return f"{pascal(self.name).removesuffix('Stack')}Stack"

    @property
    def functions(self) -> list[Resource]:
        """The functions that its flows invoke."""
        return self.exports.of_kind(FUNCTION)

    @property
    def bots(self) -> list[Resource]:
        """The bots that its flows talk to."""
        return self.exports.of_kind(BOT)

    @property
    def associates(self) -> bool:
        """Whether the instance has to be told of functions or bots."""
        return bool(self.functions or self.bots)

    def files(self) -> dict[str, str]:
        """Return its files but for flows, pictures and scenarios, by path."""
        return {
            **{path: _text(name) for path, name in _STATIC.items()},
            "app.py": self._filled("app.py.txt"),
            "environments.py": self._environments(),
            "stack.py": self._stack(),
            "demo.py": self._demo(),
            "cdk.json": _json(self._cdk_json()),
            "package.json": _json(self._package_json()),
            "requirements.txt": "".join(
                f"{name}=={PINNED.get(name, self.version)}\n"
                for name in ("aws-cdk-lib", "connect-bridges", "constructs")
            ),
            "requirements-dev.txt": "-r requirements.txt\n"
            + "".join(
                f"{name}=={PINNED.get(name, self.version)}\n"
                for name in ("connect-flows", "connect-sandbox", "mypy", "pytest", "ruff")
            ),
            "tests/test_stack.py": self._test_stack(),
        }

    def flow_files(self) -> dict[str, str]:
        """Return the templates of its flows, by path."""
        return {f"flows/{flow.file}.json": _json(flow.template) for flow in self.exports.flows}

    def scenario_names(self) -> dict[str, str]:
        """Return what scenarios call the things behind placeholders: as people do, where only one is called so."""
        called: dict[str, str] = {}
        for flow in self.exports.flows:
            for placeholder, reference in flow.references.items():
                resource = reference.resource
                # Numbers are spoken and shown: one that stands for it would be told as it is.
                title = in_sandbox(resource) if resource.kind == PHONE_NUMBER else resource.title
                if reference.flow is not None:
                    title = self.exports.flow(reference.flow).title
                others = {value for name, value in called.items() if name != placeholder}
                called[placeholder] = placeholder if not title or title in others else title
        return called

    # -- settings

    def _cdk_json(self) -> dict[str, Any]:
        return {
            "app": 'PATH="$PWD/.venv/bin:$PATH" python app.py',
            "context": {
                "env": FIRST,
                "environments": {
                    one.name: one.as_json(associates=self.associates) for one in self.environments
                },
            },
        }

    def _package_json(self) -> dict[str, Any]:
        return {
            "name": self.slug,
            "version": "0.1.0",
            "private": True,
            "description": "Pins the AWS CDK command line that this app is deployed with.",
            "engines": {"node": ">=20"},
            "devDependencies": {"aws-cdk": PINNED["aws-cdk"]},
        }

    def _environments(self) -> str:
        what = _either("functions" if self.functions else "", "bots" if self.bots else "")
        told = f"\n    associates: whether the stack lets the instance use the {what}; false where it does already."
        return self._filled(
            "environments.py.txt",
            associates_doc=told if self.associates else "",
            associates_field="    associates: bool\n" if self.associates else "",
            associates_read='\n        associates=told["associates"],' if self.associates else "",
        )

    # -- code

    def _stack(self) -> str:
        flows = self.exports.flows
        modules = any(flow.kind is FlowKind.MODULE for flow in flows)
        imported = ["ConnectInstance", "ContactFlow", *(["FlowKind"] if modules else [])]
        lines = [
            '"""The stack: flows of Amazon Connect, in an instance that exists."""',
            "",
            "from pathlib import Path",
            "",
            "import aws_cdk as cdk",
            *(["from aws_cdk import aws_lambda as lambda_"] if self.functions else []),
            f"from connect_bridges import {', '.join(imported)}",
            "from constructs import Construct",
            "",
            "from environments import Environment",
            "",
            'FLOWS = Path(__file__).parent / "flows"',
            "",
            "",
            f"class {self.class_name}(cdk.Stack):",
            f'    """{_sentence(self.name)}"""',
            "",
            "    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:",
            '        """Publish the flows in the environment\'s instance."""',
            "        super().__init__(scope, id, env=environment.place)",
            '        instance = ConnectInstance.from_arn(self, "Instance", environment.instance_arn)',
            *(["        values = environment.values"] if self.exports.resources else []),
            "",
        ]
        for flow in flows:
            lines += [*self._construct(flow), ""]
        lines += self._associations()
        for flow in flows:
            output = f'"{flow.construct}Arn"', f"value={flow.variable}.arn"
            lines += _call("cdk.CfnOutput", "self", *output, indent=8)
        return "\n".join(lines) + "\n"

    def _construct(self, flow: ExportedFlow) -> list[str]:
        filled = []
        for placeholder, reference in flow.references.items():
            value = (
                f'values["{placeholder}"]'
                if reference.flow is None
                else f"{self.exports.flow(reference.flow).variable}.arn"
            )
            filled.append(f'                "{placeholder}": {value},')
        inner = [
            "            self,",
            f'            "{flow.construct}",',
            "            instance=instance,",
            f'            template=FLOWS / "{flow.file}.json",',
        ]
        if flow.kind is FlowKind.MODULE:
            inner.append("            kind=FlowKind.MODULE,")
        elif flow.flow_type != "CONTACT_FLOW":
            inner.append(f'            flow_type="{flow.flow_type}",')
        if filled:
            inner += ["            values={", *filled, "            },"]
        return [f"        {flow.variable} = ContactFlow(", *inner, "        )"]

    def _associations(self) -> list[str]:
        """Return the statements that let the instance use functions and bots, before the flows that do."""
        if not self.associates:
            return []
        taken = {*TAKEN, *(flow.variable for flow in self.exports.flows)}
        constructs = {"Instance", *(flow.construct for flow in self.exports.flows)}
        lines = ["        if environment.associates:"]
        for resource in (*self.functions, *self.bots):
            association = f'instance.add_lex_bot(values["{resource.placeholder}"])'
            if resource.kind == FUNCTION:
                name = resource.title or resource.placeholder
                variable = unique(identifier(name) or "function", taken)
                construct = unique(pascal(name) or "Function", constructs)
                lines += _call(
                    f"{variable} = lambda_.Function.from_function_arn",
                    "self",
                    f'"{construct}"',
                    f'values["{resource.placeholder}"]',
                    indent=12,
                )
                association = f"instance.associate_function({variable})"
            for flow in self.exports.flows:
                if resource in flow.resources:
                    lines += _call(f"{flow.variable}.depends_on", association, indent=12)
        return [*lines, ""]

    def _demo(self) -> str:
        arns = [f'            environment.values["{one.placeholder}"],\n' for one in self.functions]
        exist = (
            "        # The app refers to functions that exist elsewhere; what they answer, the scenarios say.\n"
            f"        functions_exist(\n            sandbox,\n            [\n{''.join('    ' + one for one in arns)}"
            "            ],\n        )\n"
        )
        played = [flow for flow in self.exports.flows if flow.file not in self.unplayed]
        return self._filled(
            "demo.py.txt",
            outputs="\n".join(f'    "{flow.file}": "{flow.construct}Arn",' for flow in played),
            import_functions=", functions_exist" if self.functions else "",
            functions_exist=exist if self.functions else "",
        )

    def _test_stack(self) -> str:
        flows = self.exports.flows
        modules = sum(flow.kind is FlowKind.MODULE for flow in flows)
        pairs = [(flow.construct, other) for flow in flows for other in flow.flows]
        references = functions = bots = ""
        if pairs:
            listed = "".join(f'        ("{flow}", "{other}"),\n' for flow, other in pairs)
            references = (
                f'\n@pytest.mark.parametrize(\n    ("flow", "other"),\n    [\n{listed}    ],\n)\n'
                "def test_a_flow_names_another_one_of_the_stack(template: Template, flow: str, other: str) -> None:\n"
                "    made = template.to_json()\n"
                '    ids = {key: output["Value"]["Fn::GetAtt"][0] for key, output in made["Outputs"].items()}\n'
                '    assert ids[f"{other}Arn"] in str(made["Resources"][ids[f"{flow}Arn"]]["Properties"])\n\n'
            )
        if self.functions:
            functions = self._test_association(
                self.functions, "flows_may_invoke_their_functions", "LAMBDA_FUNCTION", permission=True
            )
        if self.bots:
            bots = self._test_association(
                self.bots, "flows_may_talk_to_their_bots", "LEX_BOT", permission=False
            )
        return self._filled(
            "test_stack.py.txt",
            flow_count=str(len(flows) - modules),
            module_count=str(modules),
            test_references=references,
            test_functions=functions,
            test_bots=bots,
            empty_associates=', "associates": True' if self.associates else "",
        )

    def _test_association(
        self, resources: Sequence[Resource], name: str, kind: str, *, permission: bool
    ) -> str:
        listed = "".join(f'        "{resource.placeholder}",\n' for resource in resources)
        permitted = (
            '    template.has_resource_properties(\n        "AWS::Lambda::Permission",\n'
            '        {"FunctionName": arn, "Principal": "connect.amazonaws.com"},\n    )\n'
        )
        return (
            f'\n@pytest.mark.parametrize(\n    "placeholder",\n    [\n{listed}    ],\n)\n'
            f"def test_{name}(template: Template, placeholder: str) -> None:\n"
            f'    arn = read_environment("{LOCAL}").values[placeholder]\n'
            '    template.has_resource_properties(\n        "AWS::Connect::IntegrationAssociation",\n'
            f'        {{"IntegrationType": "{kind}", "IntegrationArn": arn}},\n    )\n'
            f"{permitted if permission else ''}\n"
        )

    def _filled(self, name: str, **parts: str) -> str:
        text = _text(name)
        for key, value in {"class": self.class_name, "slug": self.slug, **parts}.items():
            text = text.replace(f"@{key.upper()}@", value)
        return text


def incomplete(environment: Environment) -> list[str]:
    """Return what is to be filled in in an environment."""
    named = {"instanceArn": environment.instance_arn, **environment.values}
    return [name for name, value in named.items() if value is None]


def _call(function: str, *arguments: str, indent: int) -> list[str]:
    """Return a call as the formatter writes it: on one line, with the arguments on a second one, or on one each."""
    joined, outer, inner = ", ".join(arguments), " " * indent, " " * (indent + 4)
    if len(f"{outer}{function}({joined})") <= _LINE:
        return [f"{outer}{function}({joined})"]
    each = [f"{inner}{joined}"]
    if len(each[0]) > _LINE:
        each = [f"{inner}{argument}," for argument in arguments]
    return [f"{outer}{function}(", *each, f"{outer})"]


def _text(name: str) -> str:
    return (files("connect_bridges.operations.new") / "texts" / name).read_text(encoding="utf-8")


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _either(*words: str) -> str:
    return " and ".join(filter(None, words))


def _sentence(name: str) -> str:
    return f"{' '.join(words(name))[: _LINE - 10]}."
