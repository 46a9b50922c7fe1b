"""Write the page of all rules (docs/flow-rules.md) from the catalogue that the linter explains.

make rules
python packages/connect-flows/tools/build_rules_page.py > docs/flow-rules.md
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from connect_flows.linter import RULES
from connect_flows.rules import FAMILIES, Rule

INTRODUCTION = """# The rules of connect-flows

<!-- Written by `make rules` from the linter's catalogue. -->

What `connect-flows lint` finds: {count} rules, each with what is wrong, why it matters and what to do. An **error** is
what Amazon Connect rejects, a **warning** works and hurts. `connect-flows explain CF205` prints a rule with an example
and how to leave it out; [flows.md](flows.md#lint) says how findings, evidence and settings work.
"""


def page() -> str:
    """Return the page."""
    out = [INTRODUCTION.format(count=len(RULES))]
    for family, about in FAMILIES.items():
        out += [f"## {family}xx: {about}", ""]
        for rule in (rule for rule in RULES.values() if rule.id.startswith(family)):
            out += [*_section(rule), ""]
    return "\n".join(out).rstrip() + "\n"


def _section(rule: Rule) -> list[str]:
    return [
        f'<a id="{rule.id.lower()}"></a>**{rule.id} {rule.name}** ({rule.severity}): {_plain(rule.summary)}',
        f"- Why: {_plain(rule.why)}",
        f"- Fix: {_plain(rule.repair)}",
    ]


def _plain(text: str) -> str:
    """Return text in which Markdown finds no markup."""
    return "".join("\\" + c if c in "*_[]<>|`" else c for c in text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page to standard output."""
    if arguments if arguments is not None else sys.argv[1:]:
        sys.stderr.write("build_rules_page.py takes no arguments\n")
        return 2
    sys.stdout.write(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
