"""The pages for the vendors: made by the real command from the deployed stacks, and used as their readers would."""

import itertools
import json
import re
import shlex
import tempfile
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

from rehearsals.printed_commands import AwsCommand, aws_commands, listings
from rehearsals.scenarios.biometrics_path import RESUME, TWILIO_NUMBER, stack_of
from rehearsals.scenarios.chat_path import CHAT_STACK
from rehearsals.scenarios.deployment import CENTER_STACK, VOICE_STACK
from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Rehearsal

_STACKS = (VOICE_STACK, CHAT_STACK, stack_of(RESUME))
_PAGES = ("kore-voice", "kore-chat", "twilio", "voiceit", "connect-administrator")
_NOT_HERE = {
    "connect": {"get_contact_attributes"},
    "chime-sdk-voice": {"get_voice_connector", "get_voice_connector_origination"},
    "logs": {"filter_log_events"},
}
"""Operations that have nothing to answer here: not emulated, or about the connector, which dev only names."""
_CLAIMED = "+12065550166"


@scenario("handoff/real-values", alone=True, part="voice")
def real_values(rehearsal: Rehearsal) -> None:
    """Write the vendors' pages of the deployed stacks; their values and commands work, and no secret is on them."""
    rehearsal.deployment.deploy({"voice", "chat", "biometrics"})
    with tempfile.TemporaryDirectory() as folder:
        named = [word for stack in _STACKS for word in ("--stack", stack)]
        status, printed = rehearsal.command("handoff", *named, "--output", folder)
        expect(status, 0, f"the exit status of the command, which printed {printed!r}")
        pages = {name: (Path(folder) / f"{name}.md").read_text(encoding="utf-8") for name in _PAGES}
        written = "".join(path.read_text(encoding="utf-8") for path in Path(folder).iterdir())
    expect_that(all(f"{name}.md, .html" in printed for name in _PAGES), f"each page is named in {printed}")
    expect_that("comes with the deployment" not in written, "every value is known after the deployment")
    _has_what_was_deployed(rehearsal, pages)
    token = _commands_work(rehearsal, pages)
    _number_is_attached(rehearsal, pages["connect-administrator"])
    _post_is_taken(rehearsal, pages["kore-voice"], token)
    _no_secret_is_there(rehearsal, written)


def _has_what_was_deployed(rehearsal: Rehearsal, pages: dict[str, str]) -> None:
    voice, chat, gate = (rehearsal.sandbox.stack_outputs(stack) for stack in _STACKS)
    values = {
        "kore-voice": [
            voice[name]
            for name in ("MetadataApiUrl", "MetadataTokenSecretArn", "VoiceDid", "ContactIdSipHeader")
        ],
        "kore-chat": [chat[name] for name in ("ChatTopicArn", "ChatTokenSecretArn", "ChatVendorRoleArn")],
        "twilio": [
            TWILIO_NUMBER,
            *(
                gate[name]
                for name in ("BiometricsWebhookUrl", "BiometricsStatusUrl", "BiometricsTelephonySecretArn")
            ),
        ],
        "voiceit": [gate["BiometricsProviderSecretArn"]],
        "connect-administrator": [
            voice["VoiceFlowArn"],
            chat["ChatFlowArn"],
            gate["BiometricsFlowArn"],
            gate["BiometricsEraseFunctionName"],
        ],
    }
    for page, wanted in values.items():
        for value in wanted:
            expect_that(value in pages[page], f"{value} should be on the page {page}")
    rehearsal.note(f"{sum(map(len, values.values()))} values of the three stacks are on their pages")


def _commands_work(rehearsal: Rehearsal, pages: dict[str, str]) -> str:
    """Run every command that only reads and that the sandbox knows; return what the one for the token prints."""
    ran: dict[str, str] = {}
    left: set[str] = set()
    for page in pages.values():
        for command in aws_commands(page):
            if command.complete and command.reads and _is_here(command):
                ran[command.text] = command.run(rehearsal.sandbox.boto3_client)
            else:
                left.add(f"{command.service} {command.method}")
    flows = [printed for text, printed in ran.items() if "describe-contact-flow" in text]
    expect(flows, ["ACTIVE\tPUBLISHED"], "what describe-contact-flow prints")
    (subscribed,) = [printed for text, printed in ran.items() if "list-subscriptions-by-topic" in text]
    expect_that("arn:" in subscribed.split("\t")[1], f"the subscription is confirmed: {subscribed}")
    (token,) = [printed for text, printed in ran.items() if "get-secret-value" in text]
    rehearsal.note(
        f"{len(ran)} commands of the pages ran; these were compared with AWS's models only: {', '.join(sorted(left))}"
    )
    return token


def _number_is_attached(rehearsal: Rehearsal, page: str) -> None:
    """Find the id of a number with the page's command, and attach it to each flow with the page's next one."""
    instance = rehearsal.sandbox.connect.instance(rehearsal.deployment.voice.instance_arn)
    claimed = instance.claim_number(_CLAIMED)
    try:
        commands = aws_commands(page)
        listed = next(command for command in commands if command.method == "list_phone_numbers_v2")
        ids = dict(line.split("\t") for line in listed.run(rehearsal.sandbox.boto3_client).splitlines())
        attaching = [
            command for command in commands if command.method == "associate_phone_number_contact_flow"
        ]
        attached = []
        for command in attaching:
            filled = {**command.parameters, "PhoneNumberId": ids[_CLAIMED]}
            replace(command, parameters=filled).run(rehearsal.sandbox.boto3_client)
            attached.append(claimed.flow_id)
    finally:
        del instance.numbers[claimed.id]
    voice, _, gate = (rehearsal.sandbox.stack_outputs(stack) for stack in _STACKS)
    flows = [voice["VoiceFlowArn"], gate["BiometricsFlowArn"]]
    expect(attached, [flow.rpartition("/")[2] for flow in flows], "the flows that the number was attached to")
    rehearsal.note(
        "a number that was claimed is found and attached to both flows with the commands of the page"
    )


def _is_here(command: AwsCommand) -> bool:
    return command.method not in _NOT_HERE.get(command.service, set())


def _post_is_taken(rehearsal: Rehearsal, page: str, token: str) -> None:
    """Send what the page's curl commands send: with the token of its other command, then with a wrong one."""
    right, wrong = [
        listing for listing in listings(page) if listing.lstrip().startswith("curl --") and "POST" in listing
    ]
    (header,) = re.findall(r"printf '%s: %s\\n' (\S+) ", page)
    status, answer = _posted(rehearsal, right, {"@token-header.txt": f"{header}: {token}"})
    expect((status, answer.get("stored")), (200, True), "the answer to the page's POST")
    status, answer = _posted(rehearsal, wrong, {})
    expect((status, answer["error"]["code"]), (403, "WRONG_TOKEN"), "the answer to a wrong token")
    rehearsal.note(
        "the POST of the page stores metadata with the token of its secret, and is refused without"
    )


def _posted(rehearsal: Rehearsal, listing: str, files: dict[str, str]) -> tuple[int, dict[str, Any]]:
    words = shlex.split(listing.replace("\\\n", " "))
    given = dict(itertools.pairwise(words))
    (url,) = [word for word in words if word.startswith("https://")]
    headers = [files.get(word, word) for at, word in enumerate(words) if words[at - 1] == "--header"]
    host, port, name = rehearsal.sandbox.api_base(url)
    request = urllib.request.Request(  # noqa: S310  (the sandbox, on this machine)
        url.replace(f"https://{name}", f"http://{host}:{port}"),
        data=given["--data"].encode(),
        headers={**dict(header.split(": ", 1) for header in headers), "Host": name},
        method=given["--request"],
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


def _no_secret_is_there(rehearsal: Rehearsal, written: str) -> None:
    """Compare all pages with each secret of the account, and with each text inside."""
    secrets = rehearsal.sandbox.boto3_client("secretsmanager")
    arns = [
        secret["ARN"]
        for page in secrets.get_paginator("list_secrets").paginate()
        for secret in page["SecretList"]
    ]
    values: set[str] = set()
    for arn in arns:
        value = secrets.get_secret_value(SecretId=arn)["SecretString"]
        values |= {value, *(_texts_in(value))}
    expect_that(len(values) > len(_STACKS), f"{len(values)} secrets are too few to compare with")
    found = [value for value in values if value in written]
    expect(len(found), 0, "the number of secrets on the pages")
    rehearsal.note(f"none of the {len(values)} secret texts of the account is on a page")


def _texts_in(value: str) -> list[str]:
    try:
        held = json.loads(value)
    except ValueError:
        return []
    return [text for text in held.values() if isinstance(text, str)] if isinstance(held, dict) else []


@scenario("handoff/instance", alone=True, part="contact_center")
def instance(rehearsal: Rehearsal) -> None:
    """Write the page of an instance that a stack created; its values are the deployment's, and its commands work."""
    center = rehearsal.deployment.contact_center
    with tempfile.TemporaryDirectory() as folder:
        status, printed = rehearsal.command("handoff", "--stack", CENTER_STACK, "--output", folder)
        expect(status, 0, f"the exit status of the command, which printed {printed!r}")
        page = (Path(folder) / "connect-instance.md").read_text(encoding="utf-8")
    told = rehearsal.sandbox.boto3_client("connect").describe_instance(InstanceId=center.instance_id)
    bucket = next(
        each
        for each in rehearsal.deployment.physical_ids(CENTER_STACK, "AWS::S3::Bucket")
        if "recording" in each
    )
    values = (
        f"https://{told['Instance']['InstanceAlias']}.my.connect.aws",
        *(center.instance_arn, center.number, f"{bucket}/CallRecordings"),
    )
    for value in values:
        expect_that(value in page, f"{value} should be on the page")
    ran = {
        command.method: command.run(rehearsal.sandbox.boto3_client)
        for command in aws_commands(page)
        if command.complete and command.reads
    }
    expect(ran["describe_instance"].split()[1], "ACTIVE", "what describe-instance prints")
    expect_that(
        center.number in ran["list_phone_numbers_v2"], "list-phone-numbers-v2 should print the number"
    )
    number_id = center.number_arn.rpartition("/")[2]
    expect_that(number_id in ran["list_flow_associations"], "list-flow-associations should print the number")
    rehearsal.note(f"{len(values)} values are on the page, and {len(ran)} of its commands ran")
