"""`connect-flows testcase`: make Amazon Connect test cases of scenarios; `testcase run` runs those of an instance.

Exit status: 0 everything is as expected, 1 a scenario or a test failed, 2 the command could not be carried out.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from connect_sandbox.rehearsal.command_line import Parser, UsageError, status_of, write
from connect_sandbox.rehearsal.scenario import ScenarioFile
from connect_sandbox.testcase.check import play_test_case
from connect_sandbox.testcase.convert import LONGEST_NAME, convert_file
from connect_sandbox.testcase.converted import VERDICTS, Converted
from connect_sandbox.testcase.document import LONGEST, InvalidDocumentError

EPILOG = """\
Each scenario is played locally first; what the contact then does tells what the test case must expect. Of every part of
a scenario the report says whether the test case says it, says it approximately, or cannot, and why. A test case that is
written has been played here, too.

Placeholders of the flow stay in the file, so that a deployment can fill them in with what the flow has; --values
does it now. ${FlowArn} is the flow itself.

connect-flows testcase run --help: run the test cases of an instance.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)

    def command() -> int:
        if arguments[:1] == ["run"]:
            from connect_sandbox.testcase import run_cli  # noqa: PLC0415  (boto3 takes its time)

            return run_cli.main(arguments[1:])
        return _convert(parser().parse_args(arguments))

    return status_of("connect-flows testcase", command, InvalidDocumentError)


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    made = Parser(
        prog="connect-flows testcase",
        usage="connect-flows testcase FILE... --flow FLOW [-o DIR] [--values FILE] [--quiet]\n"
        "       connect-flows testcase run --instance ARN [--name NAME]",
        description="Make test cases for Amazon Connect's testing and simulation of scenarios.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("scenarios", type=Path, nargs="+", metavar="FILE", help="scenario file (YAML)")
    made.add_argument(
        "--flow", type=Path, required=True, metavar="FLOW", help="flow or template that they are for"
    )
    made.add_argument("-o", "--output", type=Path, metavar="DIR", help="write a JSON file for each test case")
    made.add_argument(
        "--values", type=Path, metavar="FILE", help="JSON file of placeholder values, such as deployed ARNs"
    )
    made.add_argument(
        "--quiet", action="store_true", help="report the parts that are not simply said, and no others"
    )
    return made


def report(converted: Converted, *, quiet: bool = False) -> str:
    """Return the report of one scenario: its verdict, and its parts."""
    lines = [f"{converted.verdict:<12}{converted.scenario.name}"]
    lines += [f"    {each}" for each in converted.statements if not quiet or each.mark != "said"]
    return "\n".join(lines)


def counted(converted: Sequence[Converted]) -> str:
    """Return how many scenarios have which verdict, in a line."""
    verdicts = Counter(each.verdict for each in converted)
    told = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in VERDICTS)
    return f"{len(converted)} scenario{'s' * (len(converted) != 1)}: {told}"


def file_name(converted: Converted) -> str:
    """Return the name of a test case's file."""
    return re.sub(r"[^a-z0-9]+", "-", converted.scenario.name.lower()).strip("-")[:LONGEST_NAME] + ".json"


def _convert(arguments: argparse.Namespace) -> int:
    values = read_values(arguments.values)
    converted: list[Converted] = []
    failed = 0
    for path in arguments.scenarios:
        for one in convert_file(ScenarioFile.load(path), arguments.flow, values):
            converted.append(one)
            problem = one.problem or _played_wrong(one, arguments.flow, values)
            if problem is not None:
                failed += 1
                write(f"FAILED  {one.scenario.name}\n{problem}\n")
            else:
                write(report(one, quiet=arguments.quiet))
    names = [file_name(each) for each in converted if each.test_case is not None]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"two scenarios would be written to {twice[0]}: rename one")
    write(counted(converted) + (f"; {failed} failed" if failed else ""))
    if failed:
        return 1
    if arguments.output is not None:
        arguments.output.mkdir(parents=True, exist_ok=True)
        for each in converted:
            _write_file(each, arguments.output, values)
        write(f"{len(names)} test case{'s' * (len(names) != 1)} written to {arguments.output}")
    return 0


def _played_wrong(converted: Converted, flow: Path, values: Mapping[str, str]) -> str | None:
    """Return what is wrong with a test case that does not pass here, None if it passes."""
    if converted.test_case is None:
        return None
    result = play_test_case(converted.test_case, converted.scenario, flow, values)
    if result.status == "PASSED":
        return None
    transcript = result.contact.transcript if result.contact else ""
    return f"its test case, played here, fails: {result.problem}\n\n{transcript}"


def _write_file(converted: Converted, folder: Path, values: Mapping[str, str]) -> None:
    if converted.test_case is None:
        return
    written = converted.test_case.filled(values)
    if len(json.dumps(written["Content"])) > LONGEST:
        raise UsageError(
            f"the test case of {converted.scenario.name!r} has more than {LONGEST:,} characters: split it"
        )
    text = json.dumps(written, indent=2, ensure_ascii=False)
    (folder / file_name(converted)).write_text(f"{text}\n", encoding="utf-8")


def read_values(path: Path | None) -> dict[str, str]:
    """Return the values of a JSON file; UsageError if it does not hold an object of texts."""
    if path is None:
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as problem:
        raise UsageError(f"{path} cannot be read as JSON: {problem}") from problem
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        raise UsageError(f"{path} must hold a JSON object of names and texts")
    return document
