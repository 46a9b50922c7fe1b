"""Stacks as they tell of themselves, for the tests of the handoff pages: every kind of bridge, deployed or not.

``python -m tests.support.handoff`` writes the sample pages in docs/handoff from the record; with ``--record`` it
deploys to the sandbox first and makes the record anew.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from connect_bridges.operations.deployed import Bridge, BridgeStack, deployed
from connect_bridges.operations.handoff.as_markdown import as_markdown
from connect_bridges.operations.handoff.pages import pages

from rehearsals.scenarios.deployment import CENTER_STACK, OWN_APP_STACK, Deployment
from tests.support import INSTANCE_ARN, ROOT

RECORDED = ROOT / "tests/unit/handoff_stacks.json"
"""What the stacks of dev and of examples/own_app told when they were deployed to the sandbox."""
REGION, ACCOUNT = "us-east-1", "123456789012"
STACKS = (
    "connect-bridges-dev-voice",
    "connect-bridges-dev-chat",
    "connect-bridges-dev-biometrics",
    OWN_APP_STACK,
    CENTER_STACK,
)
_VENDORS = {
    "telephonyApiUrl": "https://api.twilio.com",
    "providerApiUrl": "https://api.voiceit.io",
    "webhookUrl": "https://bot.example.com/adapter/hooks/amazonconnect/st-example",
}
"""What stands in the record for the vendors that the sandbox has on this machine."""


def recorded() -> dict[str, BridgeStack]:
    """Return the stacks that were deployed to the sandbox, by name."""
    found = {}
    for stack in json.loads(RECORDED.read_text()):
        bridges = tuple(Bridge(**bridge) for bridge in stack["bridges"])
        found[stack["name"]] = BridgeStack(**{**stack, "bridges": bridges})
    return found


def changed(stack: BridgeStack, construct: str, without: tuple[str, ...] = (), **facts: Any) -> BridgeStack:
    """Return a stack whose bridge of that class tells something else; facts by their names in the description."""
    bridges = tuple(
        bridge
        if bridge.construct != construct
        else Bridge(
            bridge.construct,
            bridge.path,
            bridge.logical_id,
            {name: fact for name, fact in {**bridge.facts, **facts}.items() if name not in without},
        )
        for bridge in stack.bridges
    )
    return BridgeStack(**{**vars(stack), "bridges": bridges})


def variants() -> Mapping[str, list[BridgeStack]]:
    """Return one deployment for each way that a bridge can be set up, by what is special about it."""
    stacks = recorded()
    voice, chat = stacks["connect-bridges-dev-voice"], stacks["connect-bridges-dev-chat"]
    gate, own = stacks["connect-bridges-dev-biometrics"], stacks["own-app-support-line"]
    center = stacks[CENTER_STACK]
    imported = Bridge(
        "ConnectInstance",
        f"{CENTER_STACK}/Imported",
        "Imported",
        {
            "instanceArn": center.bridges[0].facts["instanceArn"],
            "origins": [{"origin": "https://crm.example.com"}],
            "storage": [{"type": "MEDIA_STREAMS", "prefix": "media"}],
        },
    )
    owned = {
        "arn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:mine-AbCdEf",
        "fields": [],
        "filledBy": "owner",
    }
    key = {**owned, "fields": ["accessKeyId", "secretAccessKey"], "filledBy": "deployment"}
    token = chat.bridges[0].facts["secrets"]["token"]
    flow = f"{INSTANCE_ARN}/contact-flow/99999999-0000-4000-8000-000000000000"
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:adapter"
    return {
        "own connector": [voice],
        "created connector": [own],
        "created connector, not encrypted": [changed(own, "ExternalVoiceConnector", requireEncryption=False)],
        "next flow and user to user": [
            changed(
                voice, "ExternalVoiceTransfer", nextFlows=[flow], userToUserInformation="$.Attributes.uui"
            )
        ],
        "telephone number": [
            changed(
                voice,
                "ExternalVoiceTransfer",
                ("did", "connectorArn", "contactIdSipHeader"),
                phoneNumber="+12065550100",
            )
        ],
        "own token": [changed(voice, "MetadataBridge", secrets={"token": owned})],
        "metadata alone": [_only(voice, "MetadataBridge")],
        "transfer alone": [
            changed(_only(voice, "ExternalVoiceTransfer"), "ExternalVoiceTransfer", ("metadataBridge",))
        ],
        "connector alone": [_only(own, "ExternalVoiceConnector")],
        "role": [chat],
        "access key": [
            changed(chat, "ChatStreamBridge", ("vendorRoleArn",), secrets={"token": token, "vendorKey": key})
        ],
        "vendor by itself, own token": [
            changed(chat, "ChatStreamBridge", ("vendorRoleArn",), secrets={"token": owned})
        ],
        "resume": [gate],
        "several phrases": [
            changed(
                gate,
                "VoiceBiometricGate",
                ("phrase",),
                phrases=["one fine day we shall meet", "the river runs to the sea"],
            )
        ],
        "redial": [changed(gate, "VoiceBiometricGate", redialNumber="+12065550177", returnMode="REDIAL")],
        "by address, abroad, Twilio in Ireland": [
            changed(
                gate,
                "VoiceBiometricGate",
                recordingTransfer="url",
                telephonyNumber="+442071838750",
                telephonyApiUrl="https://api.dublin.ie1.twilio.com",
            )
        ],
        "own secrets": [
            changed(
                gate, "VoiceBiometricGate", secrets={"telephony": owned, "provider": owned, "callerKey": key}
            )
        ],
        "own provider": [
            changed(
                gate,
                "VoiceBiometricGate",
                ("providerApiUrl",),
                provider="example-voice",
                providerFunctionArn=function,
                secrets={"telephony": gate.bridges[0].facts["secrets"]["telephony"]},
            )
        ],
        "own provider, several phrases": [
            changed(
                gate,
                "VoiceBiometricGate",
                ("providerApiUrl", "phrase"),
                provider="example-voice",
                providerFunctionArn=function,
                phrases=["4 1 7 2 9 5 3 8", "8 2 6 1 5 9 4 7"],
                secrets={"telephony": gate.bridges[0].facts["secrets"]["telephony"]},
            )
        ],
        "instance": [center],
        "instance, SAML": [changed(center, "ContactCenter", identityManagement="SAML")],
        "instance, imported": [BridgeStack(**{**vars(center), "bridges": (imported,)})],
        "instance, in two stacks": [
            center,
            BridgeStack(**{**vars(center), "name": "more", "bridges": (imported,)}),
        ],
        "everything": [voice, chat, gate, own],
        "nothing known yet": [_undeployed(stack) for stack in (voice, chat, gate, own, center)],
    }


def _only(stack: BridgeStack, construct: str) -> BridgeStack:
    kept = tuple(bridge for bridge in stack.bridges if bridge.construct == construct)
    return BridgeStack(**{**vars(stack), "bridges": kept})


def _undeployed(stack: BridgeStack) -> BridgeStack:
    """Return a stack as if read from a template in which every ARN and URL is a token."""

    def forget(fact: Any) -> Any:
        if isinstance(fact, Mapping):
            return {name: forget(inner) for name, inner in fact.items()}
        if isinstance(fact, list):
            return [forget(inner) for inner in fact]
        return None if isinstance(fact, str) and fact.startswith(("arn:", "https://")) else fact

    bridges = tuple(
        Bridge(bridge.construct, bridge.path, bridge.logical_id, forget(bridge.facts))
        for bridge in stack.bridges
    )
    return BridgeStack(name=stack.name, bridges=bridges)


def samples() -> Iterator[tuple[Path, str]]:
    """Yield the sample pages of the documents: their files, and what is to be in them."""
    *bridges, _, center = recorded().values()
    made = [*pages(bridges), *(page for page in pages([center]) if page.vendor == "connect-instance")]
    for page in made:
        yield ROOT / f"docs/handoff/{page.name}.md", as_markdown(page)


def record(deployment: Deployment) -> list[dict[str, Any]]:
    """Return what deployed stacks tell, vendors on this machine replaced by real ones."""
    cloudformation = deployment.sandbox.boto3_client("cloudformation")
    told = []
    for name in STACKS:
        stack = deployed(cloudformation, name)
        if stack is None:
            raise LookupError(f"{name} is not deployed")
        bridges = [{**vars(bridge), "facts": _with_vendors(bridge.facts)} for bridge in stack.bridges]
        told.append(
            {
                "name": name,
                "account": stack.account,
                "region": stack.region,
                "status": stack.status,
                "bridges": bridges,
            }
        )
    return told


def _with_vendors(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _VENDORS[name] if isinstance(fact, str) and re.match(r"http://(localhost|127)", fact) else fact
        for name, fact in facts.items()
    }


def _main(arguments: list[str]) -> None:
    if "--record" in arguments:
        with (
            tempfile.TemporaryDirectory() as folder,
            Deployment.start(ROOT, Path(folder), lambda step, _seconds: print(step)) as deployment,
        ):
            deployment.deploy(["voice", "chat", "biometrics", "own_app", "contact_center"])
            RECORDED.write_text(json.dumps(record(deployment), indent=1) + "\n", encoding="utf-8")
    for file, text in samples():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _main(sys.argv[1:])
