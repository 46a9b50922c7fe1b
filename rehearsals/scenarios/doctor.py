"""connect-bridges doctor in accounts of its own: everything that can be missing is missing, and then nothing is."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from rehearsals.scenarios.deployment import Deployment
from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.own_account import OwnAccount
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Rehearsal
from rehearsals.vendors.chat.client import BotPlatform
from rehearsals.vendors.chat.script import BotAccess
from rehearsals.vendors.https import HttpsVendors

BOT, TWILIO, VOICEIT = "bot.example.com", "twilio.example.com", "voiceit.example.com"
NUMBER, REDIAL_NUMBER = "+12065550188", "+442079460100"
PLACE: Final = "us-east-1:123456789012"
MISSING_CONNECTOR = f"arn:aws:chime:{PLACE}:vc/gone1gone2gone3gone4a"
Finding = dict[str, Any]


def everything(deployment: Deployment) -> dict[str, Any]:
    """Return `dev`, which creates and fixes all that it can, and `named`, which names all that it can."""
    voice = deployment.environments()["prod"]
    dev = {**copy.deepcopy(voice), "protected": False}
    queue = dev["voice"]["queueArn"]
    telephony = {"number": NUMBER, "apiUrl": f"https://{TWILIO}"}
    dev["chat"] = {"preset": "kore", "webhookUrl": f"https://{BOT}/hook", "queueArn": queue}
    dev["biometrics"] = {
        "telephony": telephony,
        "provider": {"voiceitApiUrl": f"https://{VOICEIT}"},
        "returnMode": "REDIAL",
        "redialNumber": REDIAL_NUMBER,
        "queueArn": queue,
    }
    named = copy.deepcopy(dev)
    named["voice"]["destination"] = {"connectorArn": MISSING_CONNECTOR, "did": "+12065550100"}
    named["voice"]["metadata"] = {"path": "metadata"}
    named["voice"]["nextFlowArn"] = f"{dev['instanceArn']}/contact-flow/99999999-0000-4000-8000-000000000000"
    named["chat"] |= {"preset": "default", "tokenSecretArn": _secret("token")}
    named["biometrics"] |= {
        "telephony": {**telephony, "secretArn": _secret("twilio")},
        "provider": {
            "functionArn": f"arn:aws:lambda:{PLACE}:function:judge",
            "name": "own",
        },
    }
    return {"dev": dev, "named": named}


def _secret(name: str) -> str:
    return f"arn:aws:secretsmanager:{PLACE}:secret:{name}-abcdef"


@scenario("doctor/finds-everything-missing", alone=True, part="voice")
def finds_everything_missing(rehearsal: Rehearsal) -> None:
    """Everything is missing, and doctor says so with the next steps; who follows them has an account that is ready."""
    environments = everything(rehearsal.deployment)
    assembly = rehearsal.deployment.assemble("doctor", environments)
    instance = environments["dev"]["instanceArn"].rpartition("/")[2]
    vendors = HttpsVendors((BOT, TWILIO, VOICEIT))
    with (
        OwnAccount(rehearsal.sandbox, rehearsal.deployment.project) as account,
        HttpsVendors((VOICEIT,), expired=(VOICEIT,)) as broken,
    ):
        account.more = broken.environment
        _closed(rehearsal, account, assembly, instance)
        names = _take_away(account, environments, assembly, instance)
        found = _examined(rehearsal, account, "--app", str(assembly), status=1, anew=True)
        _expect_findings(found, _missing(instance, names))
        steps = _follow(rehearsal, account, found)
        with vendors:
            account.more = vendors.environment
            found = _examined(rehearsal, account, "--app", str(assembly), status=1)
            left = {
                (each["check"], each["status"]) for each in found if each["status"] not in {"ok", "skipped"}
            }
            expect(
                sorted(left),
                [
                    ("api-log-role", "warning"),  # whose role it is to be is a decision
                    ("connector-associated", "failure"),  # who named it has to choose another one
                    ("connector-host", "warning"),  # sbc.example.com is a name that nobody has
                    ("next-flow", "failure"),
                    ("provider-function", "failure"),
                    ("secret", "failure"),  # to be created by their owner
                ],
                "what is left after the next steps",
            )
            rehearsal.note(
                f"{len(steps)} commands of doctor were followed, {len(left)} things are left to people"
            )
            ready = _examined(rehearsal, account, "--app", str(assembly), *_stacks("dev"), status=0)
            expect(
                sorted({each["check"] for each in ready if each["status"] == "warning"}),
                ["api-log-role", "connector-host"],
                "warnings of the environment that names nothing",
            )


@scenario("doctor/all-well", alone=True, part="voice")
def all_well(rehearsal: Rehearsal) -> None:
    """After a deployment doctor asks for what people fill in; then all is well, under the documented policy as well."""
    dev = copy.deepcopy(rehearsal.deployment.environments()["dev"])
    queue, instance = dev["voice"]["queueArn"], dev["instanceArn"].rpartition("/")[2]
    policies = _policies(rehearsal.deployment.project / "docs/doctor.md")
    with (
        BotPlatform() as bot,
        OwnAccount(rehearsal.sandbox, rehearsal.deployment.project) as account,
        HttpsVendors((TWILIO, VOICEIT)) as vendors,
    ):
        dev["chat"] = {"webhookUrl": bot.webhook_url, "queueArn": queue}
        dev["biometrics"] = {
            "telephony": {"number": NUMBER, "apiUrl": f"https://{TWILIO}"},
            "provider": {"voiceitApiUrl": f"https://{VOICEIT}"},
            "queueArn": queue,
        }
        bot.is_told_access(
            BotAccess(
                endpoint_url=f"http://localhost:{account.port}",
                region="us-east-1",
                access_key_id="test",
                secret_access_key="test",  # noqa: S106  (nobody checks it)
            )
        )
        bot.goes_down()
        with ThreadPoolExecutor(1) as pool:
            bootstrapping = pool.submit(account.cdk, "bootstrap", "aws://123456789012/us-east-1")
            assembly = rehearsal.deployment.assemble("doctor-well", {"dev": dev})
            bootstrapping.result()
        connector = dev["voice"]["destination"]["connectorArn"]
        account.told("connector", connector.rpartition("/")[2])
        account.told("instance", {"id": instance, "numbers": ["+12065550101", "+12065550102"]})
        account.more = vendors.environment
        before = account.role("doctor-before", policies[0])
        found = _examined(rehearsal, account, "--app", str(assembly), status=1, who=before)
        _expect_not_denied(found)
        _follow(rehearsal, account, [each for each in found if each["check"] == "connector-associated"])
        account.cdk("deploy", "--app", str(assembly), "--all", "--concurrency=3", "--require-approval=never")

        found = _examined(rehearsal, account, *_stacks("dev"), status=1)
        _expect_findings(
            found,
            {
                ("secret", "failure"): {"put-secret-value"},
                ("subscription", "failure"): {"Request confirmation"},
                ("phone-number", "warning"): {"associate-phone-number-contact-flow"},
                ("endpoint-tls", "warning"): {bot.webhook_url},
            },
        )
        bot.comes_up()
        _follow(rehearsal, account, found)
        account.told("confirmations")
        _wait_for(lambda: bool(bot.report().confirmed), "the vendor to confirm its subscription")

        well = _examined(rehearsal, account, *_stacks("dev"), status=0)
        expect(
            sorted({(each["check"], each["status"]) for each in well if each["status"] != "ok"}),
            [("endpoint-tls", "warning")],  # the bot's address is one of this machine
            "what is not ok once everything is filled in",
        )
        expect(
            sorted(vendors.reached.count(name) > 0 for name in (TWILIO, VOICEIT)),
            [True, True],
            "handshakes with the vendors",
        )
        told = {
            name: _examined(
                rehearsal, account, "--app", str(assembly), status=0, who=account.role(name, policy)
            )
            for name, policy in {"doctor": _joined(policies), "doctor-no-values": policies[0]}.items()
        }
        expect_that(
            {"table-replaced", "names-free"} <= {each["check"] for each in told["doctor"]},
            "with the app doctor should compare it with the deployed stacks",
        )
        for found in told.values():
            _expect_not_denied(found)
        skipped = [each for each in told["doctor-no-values"] if each["status"] == "skipped"]
        expect(
            {each["check"] for each in skipped} == {"secret"} and len(skipped) == 5,
            True,
            "that without the right to read secrets their five checks, and no others, are skipped",
        )
        shown = account.bridges("doctor", *_stacks("dev"))
        rehearsal.note(f"connect-bridges doctor {' '.join(_stacks('dev'))}:\n{shown.stdout}")
        expect_that(
            "next: connect-bridges handoff --stack" in shown.stdout, "doctor should name the next command"
        )


def _closed(rehearsal: Rehearsal, account: OwnAccount, assembly: Path, instance: str) -> None:
    """AWS has closed the account to Amazon Connect, and the instance is not there."""
    message = (
        "User: x is not authorized to perform: connect:ListInstances on resource: * with an explicit deny"
    )
    fault = {
        "service": "connect",
        "operation": "ListInstances",
        "code": "AccessDeniedException",
        "message": message,
    }
    account.told("refuse", fault)
    account.told("instance", {"id": instance, "absent": True})
    voice = ("--stack", "connect-bridges-dev-voice")
    found = _examined(rehearsal, account, "--app", str(assembly), *voice, status=1)
    _expect_findings(
        found,
        {
            ("connect-open", "failure"): {"AWS Support Center"},
            ("instance", "failure"): {"aws connect list-instances --region us-east-1"},
        },
        only={"connect-open", "instance"},
    )
    account.told("allow")
    account.told("instance", {"id": instance, "absent": False})


def _take_away(
    account: OwnAccount, environments: Mapping[str, Any], assembly: Path, instance: str
) -> dict[str, str]:
    """Let everything be missing, or in the way; return the names that are taken, by type."""
    account.told("instance", {"id": instance, "off": ["INBOUND_CALLS", "OUTBOUND_CALLS", "CONTACTFLOW_LOGS"]})
    queue = environments["dev"]["voice"]["queueArn"].rpartition("/")[2]
    account.client("connect").update_queue_status(InstanceId=instance, QueueId=queue, Status="DISABLED")
    nothing = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    account.role("theirs", {"Version": "2012-10-17", "Statement": [nothing]})
    account.client("apigateway").update_account(
        patchOperations=[
            {"op": "replace", "path": "/cloudwatchRoleArn", "value": "arn:aws:iam::123456789012:role/theirs"}
        ]
    )
    names = _fixed_names(assembly)
    _take_names(account, names, instance)
    _half_deployed(account, names["AWS::DynamoDB::GlobalTable"])
    account.told(
        "quotas",
        {
            "connect/L-2BE4D75F": 0,
            "connect/L-E3D2F503": 0,
            "connect/L-22922690": 0,
            "lambda/L-B99A9384": 10,
        },
    )
    return names


def _fixed_names(assembly: Path) -> dict[str, str]:
    """Return a fixed name of each type in the templates of `dev`."""
    members = {
        "AWS::DynamoDB::GlobalTable": "TableName",
        "AWS::Lambda::Function": "FunctionName",
        "AWS::Logs::LogGroup": "LogGroupName",
        "AWS::SNS::Topic": "TopicName",
        "AWS::Connect::ContactFlow": "Name",
        "AWS::Connect::ContactFlowModule": "Name",
    }
    names: dict[str, str] = {}
    for template in sorted(assembly.glob("connect-bridges-dev-*.template.json")):
        for resource in json.loads(template.read_text())["Resources"].values():
            name = resource.get("Properties", {}).get(members.get(resource["Type"], ""))
            if isinstance(name, str):
                names.setdefault(resource["Type"], name)
    expect(sorted(names), sorted(members), "the types of which a template fixes a name")
    return names


def _take_names(account: OwnAccount, names: Mapping[str, str], instance: str) -> None:
    """Let somebody else's resources have the names."""
    account.client("dynamodb").create_table(
        TableName=names["AWS::DynamoDB::GlobalTable"],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
    )
    account.client("logs").create_log_group(logGroupName=names["AWS::Logs::LogGroup"])
    account.client("sns").create_topic(Name=names["AWS::SNS::Topic"])
    connect = account.client("connect")
    content = json.dumps(
        {
            "Version": "2019-10-30",
            "StartAction": "end",
            "Metadata": {},
            "Actions": [
                {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
            ],
        }
    )
    connect.create_contact_flow(
        InstanceId=instance, Name=names["AWS::Connect::ContactFlow"], Type="CONTACT_FLOW", Content=content
    )


def _half_deployed(account: OwnAccount, taken: str) -> None:
    """Let the first deployment of the chat stack have failed, with termination protection."""
    table = {
        "Type": "AWS::DynamoDB::GlobalTable",
        "Properties": {
            "TableName": taken,
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "Replicas": [{"Region": "us-east-1"}],
        },
    }
    client = account.client("cloudformation")
    client.create_stack(
        StackName="connect-bridges-dev-chat",
        TemplateBody=json.dumps({"Resources": {"Table": table}}),
        EnableTerminationProtection=True,
    )
    _wait_for(
        lambda: _status(client, "connect-bridges-dev-chat") == "ROLLBACK_COMPLETE", "the deployment to fail"
    )


def _status(client: Any, stack: str) -> str:  # noqa: ANN401 (a boto3 client)
    return str(client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])


def _missing(instance: str, names: Mapping[str, str]) -> dict[tuple[str, str], set[str]]:
    """Return what doctor has to find in that account, and what its next steps have to say."""
    increase = "aws service-quotas request-service-quota-increase --region us-east-1 --service-code"
    arn = f"arn:aws:connect:{PLACE}:instance/{instance}"
    return {
        ("bootstrap", "failure"): {"npx cdk bootstrap aws://123456789012/us-east-1"},
        ("lambda-concurrency", "warning"): {
            f"{increase} lambda --quota-code L-B99A9384 --desired-value 1000"
        },
        ("api-log-role", "warning"): {"role/theirs", "cloud_watch_role=False", "connect-bridges-dev-voice"},
        ("connector-quota", "failure"): {f"{increase} connect --quota-code L-2BE4D75F --desired-value 1"},
        ("inbound-calls", "failure"): {
            f"--instance-id {instance} --attribute-type INBOUND_CALLS --value true"
        },
        ("outbound-calls", "failure"): {
            f"--instance-id {instance} --attribute-type OUTBOUND_CALLS --value true"
        },
        ("flow-logs", "warning"): {
            f"--instance-id {instance} --attribute-type CONTACTFLOW_LOGS --value true"
        },
        ("function-quota", "failure"): {
            f"connect --quota-code L-E3D2F503 --desired-value 6 --context-id {arn}"
        },
        ("flow-quota", "failure"): {f"connect --quota-code L-22922690 --desired-value 7 --context-id {arn}"},
        ("stack-status", "failure"): {
            (
                "aws cloudformation update-termination-protection --no-enable-termination-protection "
                "--region us-east-1 --stack-name connect-bridges-dev-chat"
            )
        },
        ("names-free", "failure"): {
            f"aws dynamodb delete-table --region us-east-1 --table-name {names['AWS::DynamoDB::GlobalTable']}",
            f"aws logs delete-log-group --region us-east-1 --log-group-name {names['AWS::Logs::LogGroup']}",
            f"aws sns delete-topic --region us-east-1 --topic-arn arn:aws:sns:{PLACE}:{names['AWS::SNS::Topic']}",
            f"aws connect delete-contact-flow --region us-east-1 --instance-id {instance} --contact-flow-id ",
        },
        ("connector-host", "warning"): {"sbc.example.com"},
        ("connector-associated", "failure"): {
            f"there is no voice connector {MISSING_CONNECTOR.rpartition('/')[2]}",
            "aws chime-sdk-voice list-voice-connectors",
        },
        ("queue", "failure"): {
            f"aws connect update-queue-status --region us-east-1 --instance-id {instance} "
        },
        ("next-flow", "failure"): {
            f"aws connect list-contact-flows --region us-east-1 --instance-id {instance}"
        },
        ("endpoint-tls", "failure"): {
            f"no TLS with {BOT}:443",
            f"no TLS with {TWILIO}:443",
            f"the certificate of {VOICEIT}:443 is not trusted: certificate has expired",
        },
        ("provider-function", "failure"): {"function:judge does not exist"},
        ("secret", "failure"): {f"{_secret('token')} does not exist", f"{_secret('twilio')} does not exist"},
        ("redial-number", "failure"): {f"{REDIAL_NUMBER} is not a number of the instance"},
    }


def _expect_findings(
    found: list[Finding],
    expected: Mapping[tuple[str, str], Collection[str]],
    only: Collection[str] | None = None,
) -> None:
    """Expect these findings that are not ok, and no others; each text in what is said by one of that name."""
    said: dict[tuple[str, str], str] = {}
    for each in found:
        if each["status"] in {"warning", "failure"} and (only is None or each["check"] in only):
            step = each.get("next", {"text": "", "commands": []})
            text = "\n".join([each["found"], step["text"], *step["commands"]])
            key = (each["check"], each["status"])
            said[key] = f"{said.get(key, '')}\n{text}"
    expect(sorted(said), sorted(expected), "what doctor finds")
    for key, texts in expected.items():
        for text in texts:
            expect_that(text in said[key], f"doctor should say {text!r} for {key[0]}; it says {said[key]}")


def _follow(rehearsal: Rehearsal, account: OwnAccount, found: list[Finding]) -> list[str]:
    """Do what the next steps say, as far as they are commands; return those that were run, each once."""
    commands = dict.fromkeys(
        command for each in found for command in each.get("next", {}).get("commands", ())
    )
    files = {}
    numbers = iter(account.client("connect").list_phone_numbers_v2()["ListPhoneNumbersSummaryList"])
    done = []
    for command in commands:
        if command.startswith(("npx cdk deploy", "openssl")):
            continue
        if command.startswith("npx cdk bootstrap"):
            account.cdk(*command.split()[2:])
        else:
            if "put-secret-value" in command:
                files["secret.txt"] = _value_for(found, command)
            if "PHONE_NUMBER_ID" in command:
                command = command.replace("PHONE_NUMBER_ID", next(numbers)["PhoneNumberId"])  # noqa: PLW2901
            account.aws(command, files)
        done.append(command)
        rehearsal.note(f"$ {command}")
    for number in [REDIAL_NUMBER] if any(each["check"] == "redial-number" for each in found) else []:
        account.told("instance", {"id": _instance_in(found), "numbers": [number]})
    account.told("grant")
    if any(each["check"] == "stack-status" and each["status"] == "failure" for each in found):
        _delete_as_the_cdk_does(account)
    return done


def _value_for(found: list[Finding], command: str) -> str:
    """Return what the step says the file has to hold, filled in."""
    [text] = {each["next"]["text"] for each in found if command in each.get("next", {}).get("commands", ())}
    form = re.search(r"\{.*\}", text)
    return form[0].replace("…", "filled-in") if form else "a-verification-token"


def _instance_in(found: list[Finding]) -> str:
    [subject] = {each["subject"] for each in found if each["check"] == "flow-logs"}
    return str(subject).removeprefix("instance ")


def _delete_as_the_cdk_does(account: OwnAccount) -> None:
    """Delete the stack whose first deployment failed, as the next `cdk deploy` begins."""
    client = account.client("cloudformation")
    client.delete_stack(StackName="connect-bridges-dev-chat")
    _wait_for(
        lambda: all(
            each["StackStatus"] != "DELETE_IN_PROGRESS" for each in client.describe_stacks()["Stacks"]
        ),
        "the failed stack to be deleted",
    )


def _examined(
    rehearsal: Rehearsal,
    account: OwnAccount,
    *arguments: str,
    status: int,
    anew: bool = False,
    who: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Run `connect-bridges doctor --json`, in a new interpreter or in one that has run it; return what it found."""
    run = account.bridges if anew else account.bridges_again
    ran: subprocess.CompletedProcess[str] = run("doctor", "--json", *arguments, **(who or {}))
    expect_that(ran.returncode in {0, 1}, f"doctor should end with 0 or 1; it said {ran.stdout}{ran.stderr}")
    expect_that(ran.stdout.startswith("{"), f"doctor should print a document; it said {ran.stderr}")
    document = json.loads(ran.stdout)
    counted = ", ".join(f"{count} {name}" for name, count in document["counts"].items())
    rehearsal.note(f"connect-bridges doctor {' '.join(arguments)}: {counted}", findings=document["findings"])
    found: list[Finding] = document["findings"]
    wrong = [
        f"{each['check']}: {each['found']}" for each in found if each["status"] in {"failure", "warning"}
    ]
    expect(ran.returncode, status, f"the exit status of doctor, which found {wrong}")
    return found


def _expect_not_denied(found: list[Finding]) -> None:
    denied = [each["found"] for each in found if "you may not call" in each["found"]]
    expect(denied, [], "what the documented policy does not allow")


def _stacks(environment: str) -> tuple[str, ...]:
    return tuple(
        word
        for part in ("voice", "chat", "biometrics")
        for word in ("--stack", f"connect-bridges-{environment}-{part}")
    )


def _policies(page: Path) -> list[dict[str, Any]]:
    """Return the policies of a document."""
    blocks = re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [policy for block in blocks if "Statement" in (policy := json.loads(block))]


def _joined(policies: list[dict[str, Any]]) -> dict[str, Any]:
    return {**policies[0], "Statement": [each for policy in policies for each in policy["Statement"]]}


def _wait_for(happened: Any, what: str) -> None:  # noqa: ANN401 (a function without arguments)
    ends = time.monotonic() + 20
    while not happened():
        if time.monotonic() > ends:
            raise TimeoutError(f"waited 20 s for {what}")
        time.sleep(0.05)
