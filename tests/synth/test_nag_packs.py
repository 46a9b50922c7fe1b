"""cdk-nag's packs over everything that this repository deploys.

AwsSolutions and Serverless find nothing that is not acknowledged with a reason on the very resource. HIPAA Security,
NIST 800-53 R5 and PCI DSS 3.2.1 find what docs/security.md explains, no more and no less.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sqs as sqs

from tests.support import ROOT
from tests.synth.shapes import PACKS, VALIDATION, WRONG, Shapes

PAGE = ROOT / "docs/security.md"
WITHOUT_FINDINGS = ("AwsSolutions", "Serverless")
EXPLAINED = {"HIPAA": "HIPAA.Security", "NIST": "NIST.800.53.R5", "PCI": "PCI.DSS.321"}
WHERE = {
    "alarms": "CfnAlarm",
    "API stages": "CfnStage",
    "buckets": "CfnBucket",
    "functions": "CfnFunction",
    "log groups": "CfnLogGroup",
    "policies": "CfnPolicy",
    "secrets": "CfnSecret",
    "users": "CfnUser",
}
ADVICE = (
    "docs/security.md, section “What the compliance packs of cdk-nag find”, has to have one row for each rule that is "
    "found: add the rule with the reason why it remains or the setting that satisfies it, or delete the row of a rule "
    "that is not found any more."
)


def explained() -> dict[str, tuple[set[str], str, bool]]:
    """Return the rows of the page: rule, then its packs, where it is found, and whether no setting satisfies it."""
    section = PAGE.read_text().split("\n## What the compliance packs of cdk-nag find\n")[1].split("\n## ")[0]
    rows = {}
    for rule, packs, where, remains, why in re.findall(
        r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| (remains|satisfied by) \| (.+) \|$", section, re.MULTILINE
    ):
        assert rule not in rows, f"{rule} has two rows"
        assert len(why) > 40, f"{rule}: {why!r} explains nothing"
        rows[rule] = (
            {EXPLAINED[name] for name in packs.strip().split(", ")},
            WHERE[where.strip()],
            remains == "remains",
        )
    return rows


@pytest.mark.parametrize("pack", WITHOUT_FINDINGS)
def test_nothing_is_found_that_is_not_acknowledged(shapes: Shapes, pack: str) -> None:
    assert pack in shapes.packs
    found = [f"{one.path}: {one.rule}" for one in shapes.findings if one.pack == pack]
    assert not found, "\n".join(["Mend it, or acknowledge it there with the reason:", *found])


def test_aws_cdk_lib_itself_finds_nothing_but_what_is_wrong_on_purpose(shapes: Shapes) -> None:
    assert {one.stack for one in shapes.findings if one.pack == VALIDATION} == {WRONG}


def test_every_pack_has_looked(shapes: Shapes) -> None:
    assert len(PACKS) == 5
    assert shapes.packs >= {*WITHOUT_FINDINGS, *EXPLAINED.values()}


def test_what_the_other_packs_find_is_what_the_page_explains(shapes: Shapes) -> None:
    packs, where = defaultdict(set), defaultdict(set)
    for found in shapes.findings:
        if found.pack in EXPLAINED.values():
            packs[found.rule].add(found.pack)
            where[found.rule].add(found.kind)
    page = explained()
    assert {rule: row[0] for rule, row in page.items()} == dict(packs), ADVICE
    assert {rule: {row[1]} for rule, row in page.items()} == dict(where), ADVICE


def test_the_settings_that_the_page_names_satisfy_the_rules(shapes: Shapes) -> None:
    remaining = {
        found.rule
        for found in shapes.findings
        if found.stack == "regulated" and found.pack in EXPLAINED.values()
    }
    assert remaining == {rule for rule, (_, _, remains) in explained().items() if remains}, ADVICE


def test_acknowledging_for_one_pack_hides_nothing_from_the_others(shapes: Shapes) -> None:
    for rule, other in {
        "LambdaDLQ": "HIPAA.Security",
        "SecretsManagerRotationEnabled": "NIST.800.53.R5",
    }.items():
        assert [found for found in shapes.findings if (found.rule, found.pack) == (rule, other)]


def test_the_packs_would_notice_a_queue_but_do_not_look_at_tables_as_the_page_says(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    cdk.Validations.of(app).add_plugins(*(pack() for pack in PACKS))
    stack = cdk.Stack(app, "users-stack")
    sqs.Queue(stack, "Queue")
    dynamodb.TableV2(
        stack, "Table", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    )
    with pytest.raises(RuntimeError, match="Validation"):
        app.synth()
    report = json.loads((tmp_path / "validation-report.json").read_text())
    found = [
        (violation["ruleName"], construct["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]
    assert ("Serverless-SQSRedrivePolicy", "users-stack/Queue/Resource") in found
    assert [rule for rule, path in found if "Table" in path] == []
    assert "They do not look at `AWS::DynamoDB::GlobalTable`" in PAGE.read_text()
