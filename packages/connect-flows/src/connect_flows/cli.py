"""``connect-flows``: lint, explain, import, render, diagram, diff, pull and push from the command line.

Other packages add commands (connect_flows.commands), which get the arguments after their name.

Exit status: 0 no findings, 1 findings (lint: errors, or warnings with --strict; diff: differences),
2 the command could not be run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from connect_flows import commands, page, pictures
from connect_flows.config import ConfigError, find_config, load_config
from connect_flows.diagnostics import Diagnostic, FlowKind, LintConfig, LintContext, Severity
from connect_flows.diff import as_markdown, as_text, diff
from connect_flows.examples import example_flow
from connect_flows.importer import FlowImportError, import_flow
from connect_flows.instance import commands as instance_commands
from connect_flows.instance.errors import InstanceError
from connect_flows.instance.project import is_about_flows
from connect_flows.knowledge import ActionSpec, ParameterSpec, knowledge
from connect_flows.linter import RULES, explain, lint
from connect_flows.model import Flow, FlowSyntaxError
from connect_flows.output import FORMATS
from connect_flows.template import FlowTemplateError, placeholders, render
from connect_flows.value_map import ValuesError, chosen_values

STDIN = "-"


class UsageError(Exception):
    """The command cannot be run; the message is for the user."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage().rstrip()}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command of ``connect-flows``; return its exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        if given and given[0] not in OWN and commands.is_command(given[0]):
            return commands.run(given[0], given[1:])
        arguments = parser(others=not given or given[0] not in OWN).parse_args(given)
        status: int = arguments.run(arguments)
    except (
        UsageError,
        commands.CommandError,
        ConfigError,
        FlowImportError,
        FlowSyntaxError,
        FlowTemplateError,
        InstanceError,
        pictures.DiagramError,
    ) as problem:
        sys.stderr.write(f"connect-flows: {problem}\n")
        return 2
    except SystemExit as leaving:  # argparse after --help
        return leaving.code if isinstance(leaving.code, int) else 0
    return status


def parser(*, others: bool = False) -> argparse.ArgumentParser:
    """Return the parser of the group's commands; with `others`, those of other packages are listed, too."""
    top = _Parser(
        prog="connect-flows",
        description="Tools for the flow language of Amazon Connect. None but pull and push needs an AWS account.",
    )
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)
    for add in OWN.values():
        add(subparsers)
    for name, told in (commands.commands() if others else {}).items():
        subparsers.add_parser(name, help=told)
    return top


def _add(commands: Any, name: str, help: str, run: Any, epilog: str = "") -> argparse.ArgumentParser:  # noqa: A002, ANN401
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=help, description=help[0].upper() + help[1:] + ".", epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    made.set_defaults(run=run)
    return made


def _lint_parser(commands: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    command = _add(
        commands, "lint", "report what Amazon Connect would reject, and what would hurt callers", _lint,
        "Exit status: 1 when there are errors (with --strict: or warnings), else 0.\n"
        "Settings: [tool.connect-flows.lint] in the nearest pyproject.toml.",
    )  # fmt: skip
    command.add_argument(
        "files", nargs="*", metavar="FILE", help="flow file, directory of flows, or - for standard input"
    )
    command.add_argument("--format", choices=sorted(FORMATS), default="text", help="default: text")
    command.add_argument(
        "--ignore", action="append", default=[], metavar="CODE", help="rule or prefix: CF301, CF5"
    )
    command.add_argument("--strict", action="store_true", help="fail on warnings, too")
    command.add_argument("--explain", metavar="RULE", help="explain a rule instead of linting")
    command.add_argument(
        "--config", type=Path, metavar="TOML", help="settings file, instead of the nearest pyproject.toml"
    )
    command.add_argument(
        "--kind", choices=[str(k) for k in FlowKind], help="default: detected from the content"
    )
    command.add_argument(
        "--flow-type", choices=knowledge().flow_types, metavar="TYPE", help="default: Metadata.type"
    )
    command.add_argument("--account", help="AWS account that the flow is meant for")
    command.add_argument("--region", help="Region that the flow is meant for")
    command.add_argument("--instance-id", help="instance that the flow is meant for")
    command.add_argument(
        "--channel",
        action="append",
        metavar="CHANNEL",
        help="channel of the flow's contacts: VOICE, CHAT or TASK",
    )


def _explain_parser(commands: Any) -> None:  # noqa: ANN401
    command = _add(commands, "explain", "explain a rule (CF104) or an action type (Compare)", _explain)
    command.add_argument("what", nargs="?", metavar="RULE|TYPE", help="without it: list all rules")


def _import_parser(commands: Any) -> None:  # noqa: ANN401
    command = _add(
        commands, "import", "turn a console export into a template with ${Placeholder}s", _import,
        "Exports from before the flow language are converted. Writes the template to standard output, or with -o to\n"
        "a file and the values beside it (NAME.values.json).",
    )  # fmt: skip
    command.add_argument("file", metavar="FILE", help="console export, or - for standard input")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to write the template")
    command.add_argument(
        "--readable", action="store_true", help="replace generated block identifiers by readable ones"
    )
    command.add_argument(
        "--environment", action="append", metavar="NAME",
        help="environment in the value map; the first gets the export's values, the others are left to fill in",
    )  # fmt: skip


def _render_parser(commands: Any) -> None:  # noqa: ANN401
    command = _add(commands, "render", "fill in a template's placeholders", _render)
    command.add_argument("file", metavar="FILE", help="template, or - for standard input")
    command.add_argument(
        "--values", type=Path, metavar="FILE", help="JSON: names and values, or the map that import wrote"
    )
    command.add_argument("--environment", metavar="NAME", help="environment in the map that import wrote")


def _diagram_parser(commands: Any) -> None:  # noqa: ANN401
    command = _add(
        commands, "diagram", "draw a flow as SVG or Mermaid, or flows as an HTML page", _diagram,
        "The page (--html) is one file that needs no network: flows and modules with search, zoom, each block's\n"
        "parameters and the linter's findings.",
    )  # fmt: skip
    command.add_argument(
        "files", nargs="+", metavar="FILE",
        help="flow, old or new export, or - for standard input; with --html also several, and directories of flows",
    )  # fmt: skip
    form = command.add_mutually_exclusive_group()
    form.add_argument(
        "--format", choices=["svg", "mermaid"], help="default: by the output's name, else mermaid"
    )
    form.add_argument("--html", action="store_true", help="one HTML page of all the flows")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")


def _diff_parser(commands: Any) -> None:  # noqa: ANN401
    command = _add(
        commands, "diff", "report what changed for the caller, ignoring layout and renamed blocks", _diff,
        "Exit status: 1 when there are differences, else 0.",
    )  # fmt: skip
    command.add_argument("old", metavar="OLD")
    command.add_argument("new", metavar="NEW")
    command.add_argument(
        "--values",
        type=Path,
        metavar="FILE",
        help="values for a template on either side, as render takes them",
    )
    command.add_argument("--environment", metavar="NAME", help="environment in the map that import wrote")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--format", choices=["text", "markdown"], help="default: text")
    form.add_argument("--html", action="store_true", help="an HTML page of both versions side by side")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")


OWN: dict[str, Callable[[Any], None]] = {
    "lint": _lint_parser,
    "explain": _explain_parser,
    "import": _import_parser,
    "render": _render_parser,
    "diagram": _diagram_parser,
    "diff": _diff_parser,
    "pull": lambda commands: instance_commands.pull_parser(partial(_add, commands)),
    "push": lambda commands: instance_commands.push_parser(partial(_add, commands)),
}
"""The commands of this package, each with what adds its parser."""


def _lint(arguments: argparse.Namespace) -> int:
    if arguments.explain:
        return _explain(argparse.Namespace(what=arguments.explain))
    if not arguments.files:
        raise UsageError("lint needs a file, a directory or -")
    config, context = _settings(arguments)
    found: list[Diagnostic] = []
    sources: dict[str, str] = {}
    for name in _files(arguments.files):
        raw = _bytes(name)
        shown = "<stdin>" if name == STDIN else name
        sources[shown] = raw.decode("utf-8-sig", errors="replace")
        found += lint(
            raw,
            name=shown,
            kind=FlowKind(arguments.kind) if arguments.kind else None,
            flow_type=arguments.flow_type,
            config=config,
            context=context,
        )
    _print(FORMATS[arguments.format](found, sources))
    failing = found if arguments.strict else [d for d in found if d.severity is Severity.ERROR]
    return 1 if failing else 0


def _settings(arguments: argparse.Namespace) -> tuple[LintConfig, LintContext]:
    path = arguments.config or find_config(Path.cwd())
    config, context = (LintConfig(), LintContext()) if path is None else load_config(path)
    for code in arguments.ignore:
        if not any(rule.startswith(code.upper()) for rule in RULES):
            raise UsageError(f"--ignore {code}: there is no such rule or family")
    config = replace(config, ignore=config.ignore | {code.upper() for code in arguments.ignore})
    given = {"account": arguments.account, "region": arguments.region, "instance_id": arguments.instance_id}
    context = replace(context, **{name: value for name, value in given.items() if value})
    if arguments.channel:
        context = replace(context, channels=frozenset(c.upper() for c in arguments.channel))
    return config, context


def _files(names: Sequence[str]) -> list[str]:
    """Return the files, including those in directories (``*.json``), in the order of the names."""
    found: list[str] = []
    for name in names:
        path = Path(name)
        if name != STDIN and path.is_dir():
            inside = sorted(str(p) for p in path.rglob("*.json") if not is_about_flows(p))
            if not inside:
                raise UsageError(f"{name} holds no *.json file")
            found += inside
        else:
            found.append(name)
    return list(dict.fromkeys(found))


def _explain(arguments: argparse.Namespace) -> int:
    what = arguments.what
    if what is None:
        _print(
            "\n".join(f"{rule.id} {rule.severity:7} {rule.name:26} {rule.summary}" for rule in RULES.values())
        )
    elif what.strip().upper() in RULES:
        _print(explain(what))
    elif what in knowledge().actions:
        _print(_action_page(knowledge().actions[what]))
    else:
        raise UsageError(
            f"there is no rule and no action type {what!r}; explain without a name lists the rules"
        )
    return 0


def _action_page(spec: ActionSpec) -> str:
    out = [spec.type, "", f"Evidence    {', '.join(spec.evidence)}", f"Next action {spec.next_action}"]
    out.append(f"Channels    {', '.join(sorted(spec.channels)) if spec.channels else 'not known'}")
    out.append(
        f"Flow types  {', '.join(sorted(spec.flow_types)) if spec.flow_types else 'not known or modules only'}"
    )
    out.append(f"Errors      {', '.join(spec.errors_required) or 'none'} (must have)")
    out.append(f"            {', '.join(spec.errors_allowed) or 'none'} (may have)")
    if spec.conditions is not None:
        operators = ", ".join(spec.conditions.operators or ("any operator",))
        operands = ", ".join(spec.conditions.operands or (spec.conditions.operand_kind,))
        out.append(f"Conditions  {operators}: {operands}")
    out += ["", "Parameters" if spec.parameters else "Parameters: none"]
    for name, parameter in spec.parameters.items():
        out += _parameter_lines(name, parameter, 1)
    example = json.dumps(example_flow(spec.type)["Actions"][0], indent=2, ensure_ascii=False)
    return "\n".join([*out, "", "Example", *("  " + line for line in example.splitlines())])


def _parameter_lines(name: str, spec: ParameterSpec, depth: int) -> list[str]:
    facts = [spec.type, "required" if spec.required else "optional"]
    if spec.enum:
        facts.append("one of " + ", ".join(spec.enum))
    if spec.min is not None or spec.max is not None:
        facts.append(
            f"{spec.min if spec.min is not None else '…'} to {spec.max if spec.max is not None else '…'}"
        )
    if spec.resource is not None:
        kind = knowledge().resources[spec.resource]
        facts.append(f"{'ARN or id' if kind.id else 'ARN'} of: {kind.words}")
    if spec.type in {"string", "integer"}:
        words = {
            "static": "no $. reference",
            "single": "static or one $. reference",
            "jsonpath": "one $. reference",
        }
        facts.append(words.get(spec.value, "text with $. references"))
    lines = [f"{'  ' * depth}{name}: {'; '.join(facts)}"]
    for inner, known in (spec.properties or {}).items():
        lines += _parameter_lines(inner, known, depth + 1)
    return lines


def _import(arguments: argparse.Namespace) -> int:
    imported = import_flow(_bytes(arguments.file), name=arguments.file, readable=arguments.readable)
    template = json.dumps(imported.template, indent=2, ensure_ascii=False) + "\n"
    for note in imported.notes:
        sys.stderr.write(f"note: {note}\n")
    if arguments.output is None:
        sys.stdout.write(template)
        return 0
    values = arguments.output.with_suffix(".values.json")
    environments = tuple(arguments.environment or ["source"])
    _write(arguments.output, template)
    _write(values, json.dumps(imported.value_map(environments), indent=2, ensure_ascii=False) + "\n")
    _print(f"{arguments.output}: {len(imported.values)} placeholders; values in {values}")
    return 0


def _render(arguments: argparse.Namespace) -> int:
    source = _bytes(arguments.file)
    _print(render(source, _read_values(arguments, placeholders(source))))
    return 0


def _read_values(arguments: argparse.Namespace, wanted: Collection[str] | None = None) -> dict[str, Any]:
    """Return the values; of a file for all flows of an instance, as pull writes it, those that are known and wanted."""
    if arguments.values is None:
        return {}
    try:
        document = json.loads(_bytes(str(arguments.values)))
    except ValueError as problem:
        raise UsageError(f"{arguments.values} is not JSON: {problem}") from problem
    try:
        return chosen_values(document, arguments.environment, name=str(arguments.values), wanted=wanted)
    except ValuesError as problem:
        raise UsageError(str(problem)) from problem


def _diagram(arguments: argparse.Namespace) -> int:
    output: Path | None = arguments.output
    suffix = output.suffix if output is not None else ""
    if _is_page(arguments):
        _put(output, page.flows_page(_shown(arguments.files)))
        return 0
    if len(arguments.files) > 1 or Path(arguments.files[0]).is_dir():
        raise UsageError("several flows are drawn on one page: add --html, or name one file")
    kind = arguments.format or ("svg" if suffix == ".svg" else "mermaid")
    flow = _flow(arguments.files[0])
    _put(output, pictures.svg(flow) if kind == "svg" else pictures.mermaid(flow))
    return 0


def _is_page(arguments: argparse.Namespace) -> bool:
    output: Path | None = arguments.output
    by_name = arguments.format is None and output is not None and output.suffix in {".html", ".htm"}
    return bool(arguments.html) or by_name


def _shown(given: Sequence[str]) -> list[page.Shown]:
    """Read the flows with their findings; in directories, what is no flow is left out with a note."""
    path = find_config(Path.cwd())
    config, context = (None, None) if path is None else load_config(path)
    found = []
    for name in _files(given):
        try:
            found.append(page.read(_bytes(name), name, config=config, context=context))
        except (FlowImportError, FlowSyntaxError) as problem:
            if name in given:
                raise
            sys.stderr.write(f"note: left out {problem}\n")
    if not found:
        raise UsageError(f"no flow in {', '.join(given)}")
    return found


def _diff(arguments: argparse.Namespace) -> int:
    values = _read_values(arguments)
    old, new = _flow(arguments.old, values), _flow(arguments.new, values)
    changes = diff(old, new)
    if _is_page(arguments):
        shown = page.diff_page(page.Shown(old, arguments.old), page.Shown(new, arguments.new))
        _put(arguments.output, shown)
    else:
        form = as_markdown if arguments.format == "markdown" else as_text
        _put(arguments.output, form(changes, arguments.old, arguments.new) + "\n")
    return 1 if changes else 0


def _flow(name: str, values: Mapping[str, Any] | None = None) -> Flow:
    """Read a flow in either format, a template with the values; messages use the names in the file."""
    source = _bytes(name)
    imported = import_flow(source, name=name)
    if imported.converted:
        return Flow.parse(render(imported.template, imported.values), name=name)
    flow = Flow.parse(source, name=name)
    wanted = placeholders(json.loads(source)) & set(values or ())
    if not values or not wanted:
        return flow
    return Flow.parse(render(source, {key: values[key] for key in wanted}), name=name)


def _bytes(name: str) -> bytes:
    if name == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as problem:
        raise UsageError(f"{name} cannot be read: {problem.strerror}") from problem


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"{path} cannot be written: {problem.strerror}") from problem


def _put(path: Path | None, text: str) -> None:
    if path is None:
        sys.stdout.write(text)
    else:
        _write(path, text)


def _print(text: str) -> None:
    if text:
        sys.stdout.write(text + "\n")
