"""Check a commit message: a subject of at most 72 characters, and an empty line before what follows.

python .github/commit_subject.py FILE      FILE is what git hands to a commit-msg hook, - is standard input
"""

from __future__ import annotations

import sys
from pathlib import Path

LIMIT = 72


def problems(message: str) -> list[str]:
    """Return what is wrong with the message; git's own comments do not count. Merges and fixups are git's to word."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject = lines[0].rstrip() if lines else ""
    found = []
    if not subject:
        found.append("the subject is empty: say in one line what the commit does")
    if len(subject) > LIMIT and not subject.startswith(("Merge ", "fixup! ", "squash! ", 'Revert "')):
        found.append(
            f"the subject has {len(subject)} characters, {LIMIT} are the limit; the reasons go below it"
        )
    if len(lines) > 1 and lines[1].strip():
        found.append("the second line is not empty: leave one between the subject and the reasons")
    return found


def main() -> int:
    """Read the message, say what is wrong with it; return 1 if anything is."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    message = sys.stdin.read() if sys.argv[1] == "-" else Path(sys.argv[1]).read_text(encoding="utf-8")
    found = problems(message)
    for problem in found:
        sys.stderr.write(f"{message.splitlines()[0] if message else ''}\n  {problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
