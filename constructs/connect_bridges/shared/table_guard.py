"""A table of enrolled callers is not replaced by an empty one because a preset was changed.

A table's name and partition key cannot be changed: CloudFormation makes a new table and lets the old one go (which
stays, by its UpdateReplacePolicy, with nobody reading it).
"""

from __future__ import annotations

from connect_bridges.shared.identity_guard import SAID, guard_identity
from constructs import Construct

_ANY_NAME = "generated"  # the name is CloudFormation's


def guard_table(construct: Construct, *, name: str | None, partition_key: str, holds: str) -> None:
    """Refuse a deployment that would replace the construct's table, unless it says so.

    holds: what would be missing afterwards. Whoever means it names the new table in the parameter TableIdentity, once.
    """
    identity = f"{name or _ANY_NAME}/{partition_key}"
    guard_identity(
        construct,
        parameter="TableIdentity",
        rule="TableStays",
        identity=identity,
        written=f"Name and key of the table of {construct.node.path}",
        refusal=(
            f"{construct.node.path}: name or partition key of its table would become {identity}, so that "
            f"CloudFormation would begin an empty table; {holds}. Set preset, table_name and partition_key "
            f"back. If the new table is meant, deploy once with {SAID}; the old one is kept."
        ),
    )
