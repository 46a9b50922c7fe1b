"""What the pages tell of: the bridges of some stacks, put together, each with its values by name.

A value is None as long as only the deployment can tell it. A flag is a word that texts ask for (``when``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connect_bridges.operations.deployed import Bridge, BridgeStack

Values = Mapping[str, str | None]

_ANY_CONTACT = "00000000-0000-4000-8000-000000000000"
_TWILIO = "https://api.twilio.com"
_INSTANCES = frozenset({"ContactCenter", "ConnectInstance"})
_SIP_LOG = "/aws/ChimeVoiceConnectorSipMessages/"


@dataclass(frozen=True)
class Subject:
    """One bridge with what belongs to it. place: from the construct's path, for file names and fragments.

    stacks: the names of those that it is made from.
    """

    kind: str
    place: str
    values: Values
    flags: frozenset[str]
    stacks: tuple[str, ...]


def subjects(stacks: Sequence[BridgeStack]) -> list[Subject]:
    """Return what there is to tell, in the order of the stacks: voice, chat, gate, instance."""
    found = [(stack, bridge) for stack in stacks for bridge in stack.bridges]
    return [*_voices(found), *_chats(found), *_gates(found), *_instances(found)]


_Found = Sequence[tuple[BridgeStack, Bridge]]


def _of(found: _Found, construct: str) -> _Found:
    return [(stack, bridge) for stack, bridge in found if bridge.construct == construct]


def _voices(found: _Found) -> Iterator[Subject]:
    """Yield each transfer with its metadata bridge and its connector, and those of both that no transfer uses."""
    bridges, connectors = _of(found, "MetadataBridge"), _of(found, "ExternalVoiceConnector")
    used: list[Bridge] = []
    for stack, transfer in _of(found, "ExternalVoiceTransfer"):
        metadata = next((b for _, b in bridges if b.path == transfer.facts.get("metadataBridge")), None)
        connector = _connector_of(stack, transfer, connectors)
        used += [bridge for bridge in (metadata, connector) if bridge]
        yield _voice(stack, transfer=transfer, metadata=metadata, connector=connector)
    for stack, metadata in bridges:
        if metadata not in used:
            yield _voice(stack, metadata=metadata)
    for stack, connector in connectors:
        if connector not in used:
            yield _voice(stack, connector=connector)


def _connector_of(stack: BridgeStack, transfer: Bridge, connectors: _Found) -> Bridge | None:
    if "connectorArn" not in transfer.facts:
        return None
    arn = transfer.text("connectorArn")
    if arn is not None:
        return next((bridge for _, bridge in connectors if bridge.text("connectorArn") == arn), None)
    here = [bridge for its, bridge in connectors if its is stack]  # before deploying no ARN tells them apart
    return here[0] if len(here) == 1 else None


def _voice(
    stack: BridgeStack,
    *,
    transfer: Bridge | None = None,
    metadata: Bridge | None = None,
    connector: Bridge | None = None,
) -> Subject:
    parts = [part for part in (transfer, metadata, connector) if part]
    values: dict[str, str | None] = _common(stack, parts[0])
    flags: set[str] = set()
    if transfer:
        flags.add("transfer")
        next_flow = next(iter(transfer.texts("nextFlows")), None)
        values |= {
            "metadata_attribute": transfer.text("metadataAttribute"),
            "next_flow_arn": next_flow,
            "next_flow_id": _after_slash(next_flow),
            **_flows(transfer),
        }
        if transfer.facts.get("nextFlows"):
            flags.add("next_flow")
        if "userToUserInformation" in transfer.facts:
            flags.add("user_to_user")
            values["user_to_user"] = transfer.text("userToUserInformation")
        if "phoneNumber" in transfer.facts:
            flags.add("public_network")
            values["did"] = transfer.text("phoneNumber")
        else:
            flags.add("over_connector")
            values["did"] = transfer.text("did")
            values["contact_id_header"] = transfer.text("contactIdSipHeader")
            values |= _connector_arn(transfer.text("connectorArn"))
    if connector:
        flags |= {"over_connector", "created_connector"}
        if connector.facts.get("requireEncryption"):
            flags.add("encrypted")
        port = connector.facts.get("port")
        values |= {
            **_connector_arn(connector.text("connectorArn")),
            "outbound_host_name": connector.text("outboundHostName"),
            "host": connector.text("host"),
            "port": None if port is None else str(port),
            "protocol": connector.text("protocol"),
            "connector_name": connector.text("name"),
        }
    if metadata:
        flags.add("metadata")
        if metadata.text("contactTokenHeader"):
            flags.add("contact_tokens")
        url = metadata.text("url")
        bot_id = "{{context.session.BotUserSession.ContactId}}"
        values |= {
            "url": url,
            "bot_url": url and f"{url}?contactId={bot_id}",
            "test_url": url and f"{url}?contactId={_ANY_CONTACT}",
            "token_header": metadata.text("tokenHeader"),
            "contact_token_header": metadata.text("contactTokenHeader"),
            "wrong_token": f"{metadata.text('tokenHeader')}: not-the-token",
            "table": _inner(metadata, "table", "name"),
            "partition_key": _inner(metadata, "table", "partitionKey"),
            "any_contact": _ANY_CONTACT,
            **_functions(metadata),
        }
        flags |= _secret(metadata, "token", values)
    return Subject("voice", _place(parts[0]), values, frozenset(flags), (stack.name,))


def _connector_arn(arn: str | None) -> dict[str, str | None]:
    connector = _after_slash(arn)
    return {
        "connector_arn": arn,
        "connector_id": connector,
        "sip_log_group": connector and _SIP_LOG + connector,  # evidence: connector-sip-log-group
    }


def _chats(found: _Found) -> Iterator[Subject]:
    for stack, chat in _of(found, "ChatStreamBridge"):
        topic = chat.text("topicArn")
        values: dict[str, str | None] = {
            **_common(stack, chat),
            "webhook_url": chat.text("webhookUrl"),
            "token_header": chat.text("tokenHeader"),
            "topic_arn": topic,
            "topic_name": topic and topic.rpartition(":")[2],
            "subscription_arn": chat.text("subscriptionArn"),
            "dead_letter_queue_url": chat.text("deadLetterQueueUrl"),
            "filter": json.dumps(chat.facts.get("filterPolicy", {})),
            "vendor_role_arn": chat.text("vendorRoleArn"),
            **_functions(chat),
            **_flows(chat),
        }
        flags = _secret(chat, "token", values) | _secret(chat, "vendorKey", values)
        if "vendorRoleArn" in chat.facts:
            flags.add("vendor_role")
        elif "vendorkey_secret" not in flags:
            flags.add("vendor_by_itself")
        yield Subject("chat", _place(chat), values, frozenset(flags), (stack.name,))


def _gates(found: _Found) -> Iterator[Subject]:
    for stack, gate in _of(found, "VoiceBiometricGate"):
        api = gate.text("telephonyApiUrl")
        number = gate.text("telephonyNumber") or ""
        values: dict[str, str | None] = {
            **_common(stack, gate),
            "number": gate.text("telephonyNumber"),
            "webhook_url": gate.text("webhookUrl"),
            "status_url": gate.text("statusUrl"),
            "telephony_api_url": api,
            "provider": gate.text("provider"),
            "provider_api_url": gate.text("providerApiUrl"),
            "provider_function_arn": gate.text("providerFunctionArn"),
            "provider_seconds": str(gate.facts.get("providerSeconds", "")) or None,
            "phrase": gate.text("phrase"),
            "phrases": json.dumps(gate.facts.get("phrases", []), ensure_ascii=False),
            "language": gate.text("language"),
            "redial_number": gate.text("redialNumber"),
            "return_mode": gate.text("returnMode"),
            **_functions(gate),
            **_flows(gate),
        }
        flags = _secret(gate, "telephony", values) | _secret(gate, "provider", values)
        flags.add("several_phrases" if "phrases" in gate.facts else "one_phrase")
        flags.add("redial" if gate.text("redialNumber") else "resume")
        flags.add("fetch" if gate.facts.get("recordingTransfer") == "fetch" else "by_address")
        flags.add("provider_function" if "providerFunctionArn" in gate.facts else "voiceit")
        if api and api.rstrip("/") != _TWILIO:
            flags.add("other_twilio_region")
        if gate.facts.get("nextFlows"):
            flags.add("next_flow")
        if not number.startswith("+1"):
            flags.add("abroad")
        yield Subject("gate", _place(gate), values, frozenset(flags), (stack.name,))


def _instances(found: _Found) -> Iterator[Subject]:
    """Yield each instance with all that stacks add to it; while no ARN is known, there is one."""
    by_arn: dict[str | None, list[tuple[BridgeStack, Bridge]]] = {}
    for stack, bridge in found:
        if bridge.construct in _INSTANCES:
            by_arn.setdefault(bridge.text("instanceArn"), []).append((stack, bridge))
    for parts in by_arn.values():
        yield _instance(sorted(parts, key=lambda part: part[1].construct != "ContactCenter"))


def _instance(parts: _Found) -> Subject:
    (stack, first), *_ = parts
    values: dict[str, str | None] = _common(stack, first)
    alias = first.text("alias")
    created = first.construct == "ContactCenter"
    flags = {"created"} if created else set()
    flags |= {"alias"} if alias else set()
    flags |= {"saml"} if first.text("identityManagement") == "SAML" else set()
    host = f"{alias or 'ALIAS'}.my.connect.aws"
    stored = {each["type"].lower(): _stored(each) for _, part in parts for each in _listed(part, "storage")}
    values |= {
        "host": host,
        "address": f"https://{host}",
        "console_name": alias or "the alias",
        "identity_management": first.text("identityManagement"),
        "log_group": f"/aws/connect/{alias or 'ALIAS'}",
        **stored,
        "stays": _joined(stored.values()),
    }
    flags |= set(stored) | ({"stays"} if stored else set())
    for fact, name in (("numbers", "number"), ("queues", "name"), ("origins", "origin")):
        if told := [each for _, part in parts for each in _listed(part, fact)]:
            flags.add(fact)
            values[fact] = _joined(each.get(name) or each.get("arn") for each in told)
    stacks = tuple(dict.fromkeys(its.name for its, _ in parts))
    return Subject("instance", _place(first), values, frozenset(flags), stacks)


def _stored(association: Mapping[str, str | None]) -> str | None:
    """Return where an instance stores something; None if only the deployment can tell."""
    if "bucket" in association:
        return association["bucket"] and f"{association['bucket']}/{association['prefix']}"
    return next((association[name] for name in ("stream", "firehose", "prefix") if name in association), None)


def _joined(values: Iterable[str | None]) -> str | None:
    known = list(values)
    return None if None in known else ", ".join(str(each) for each in known)


def _listed(bridge: Bridge, fact: str) -> Sequence[Mapping[str, str]]:
    found: Sequence[Mapping[str, str]] = bridge.facts.get(fact) or ()
    return found


def _common(stack: BridgeStack, bridge: Bridge) -> dict[str, str | None]:
    instance = bridge.text("instanceArn")
    region = stack.region or (instance.split(":")[3] if instance else None)
    return {
        "stack": stack.name,
        "path": bridge.path,
        "account": stack.account,
        "region": region,
        "instance_arn": instance,
        "instance_id": _after_slash(instance),
    }


def _flows(bridge: Bridge) -> dict[str, str | None]:
    flow, module = _inner(bridge, "flows", "Flow"), _inner(bridge, "flows", "Module")
    return {
        "flow_arn": flow,
        "flow_id": _after_slash(flow),
        "module_arn": module,
        "module_id": _after_slash(module),
    }


def _functions(bridge: Bridge) -> dict[str, str | None]:
    names: Iterable[str] = bridge.facts.get("functions", {})
    return {f"{name.lower()}_function": _inner(bridge, "functions", name) for name in names}


def _secret(bridge: Bridge, name: str, values: dict[str, str | None]) -> set[str]:
    """Add a secret's ARN to the values; return the flags: that there is one, and who fills it."""
    secret = bridge.facts.get("secrets", {}).get(name)
    if secret is None:
        return set()
    key = f"{name.lower()}_secret"
    values[f"{key}_arn"] = secret.get("arn")
    return {key, f"{key}_by_{secret['filledBy']}"}


def _inner(bridge: Bridge, fact: str, name: str) -> str | None:
    value = (bridge.facts.get(fact) or {}).get(name)
    return value if isinstance(value, str) else None


def _after_slash(arn: str | None) -> str | None:
    return arn and arn.rpartition("/")[2]


def _place(bridge: Bridge) -> str:
    return re.sub(r"[^a-z0-9]+", "-", bridge.path.lower()).strip("-")
