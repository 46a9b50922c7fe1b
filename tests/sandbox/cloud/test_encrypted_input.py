"""What callers enter is encrypted with a deployed security key, and only the private key reads it."""

from __future__ import annotations

import base64
import datetime as dt
import json
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox
from connect_sandbox.rehearsal import Caller, Contact
from connect_sandbox.rehearsal.cloud_ports import DeployedFunctions, PublishedFlows
from connect_sandbox.rehearsal.conditions import Presses
from connect_sandbox.rehearsal.left_behind import LeftBehind
from connect_sandbox.rehearsal.ports import DialOutcome, NotDialled, Ports
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import NameOID

from tests.support.rehearsal import block, hang_up, say

CARD = "4111111111111111"


class Nobody:
    """No third party answers."""

    def dial(self, *_arguments: Any, **_more: Any) -> DialOutcome:
        return NotDialled("there is nobody")


@cache
def private_key(_name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def public_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def certificate(*, signed_by: rsa.RSAPrivateKey, holder: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "customer input")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.public_key(holder.public_key())
    builder = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=30))
    return builder.sign(signed_by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def decrypted(stored: str, key: rsa.RSAPrivateKey) -> tuple[str, str, str]:
    """Read an AWS Encryption SDK message of version 1; return provider, name of the key and text."""
    message = base64.b64decode(stored)
    rest = message[20:]

    def text() -> bytes:
        nonlocal rest
        (length,) = struct.unpack_from(">H", rest)
        found, rest = rest[2 : 2 + length], rest[2 + length :]
        return found

    context = text()
    assert struct.unpack_from(">H", rest) == (1,)
    rest = rest[2:]
    provider, name, wrapped = text(), text(), text()
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA512()), algorithm=hashes.SHA512(), label=None)
    data_key = key.decrypt(wrapped, oaep)
    derived = HKDF(hashes.SHA384(), 32, salt=None, info=message[2:20]).derive(data_key)
    header = message[: len(message) - len(rest) + 10]
    rest = rest[10:]
    assert AESGCM(derived).decrypt(rest[:12], rest[12:28], header) == b""
    rest = rest[28:]
    final, number, nonce = struct.unpack(">II12s", rest[:20])
    (length,) = struct.unpack_from(">I", rest, 20)
    described = b"AWSKMSEncryptionClient Final Frame" + struct.pack(">IQ", number, length)
    sealed, rest = rest[24 : 24 + length + 16], rest[24 + length + 16 :]
    clear = AESGCM(derived).decrypt(nonce, sealed, message[4:20] + described)
    signed, signature = message[: len(message) - len(rest)], text()
    point = base64.b64decode(context[2 + 2 + len("aws-crypto-public-key") + 2 :])
    verifier = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), point)
    verifier.verify(signature, signed, ec.ECDSA(hashes.SHA384()))
    assert (message[:4].hex(), final, rest) == ("01800378", 0xFFFFFFFF, b"")
    return provider.decode(), name.decode(), clear.decode()


def template(pem: str, key_id: Any) -> dict[str, Any]:
    actions = [
        block("ask", "GetParticipantInput", "thanks", errors={"NoMatchingError": "sorry"}, Text="Your card?",
              StoreInput="True", InputTimeLimitSeconds="5",
              InputValidation={"CustomValidation": {"MaximumLength": "20"}},
              InputEncryption={"EncryptionKeyId": "${KeyId}", "Key": pem}),
        say("thanks", "Thank you.", "bye"),
        say("sorry", "Not encrypted.", "bye"),
        hang_up(),
    ]  # fmt: skip
    content = json.dumps({"Version": "2019-10-30", "StartAction": "ask", "Actions": actions})
    instance = {"Fn::GetAtt": ["Instance", "Arn"]}
    attributes = {"InboundCalls": True, "OutboundCalls": False}
    resources = {
        "Instance": {"Type": "AWS::Connect::Instance", "Properties": {
            "IdentityManagementType": "SAML", "InstanceAlias": "example-input", "Attributes": attributes}},
        "Key": {"Type": "AWS::Connect::SecurityKey", "Properties": {
            "InstanceId": instance, "Key": public_pem(private_key("ours"))}},
        "Flow": {"Type": "AWS::Connect::ContactFlow", "Properties": {
            "InstanceArn": instance, "Name": "Card", "Type": "CONTACT_FLOW",
            "Content": {"Fn::Sub": [content, {"KeyId": key_id}]}}},
    }  # fmt: skip
    return {"Resources": resources, "Outputs": {"Key": {"Value": {"Fn::GetAtt": ["Key", "AssociationId"]}}}}


@pytest.fixture(autouse=True)
def later(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.contact_center.calendar.passes(days=365)


def play(sandbox: Sandbox, made: Any) -> Contact:
    assert made.status == "CREATE_COMPLETE", made.reasons
    instance_arn = made.resources["Instance"]
    ports = Ports(
        flows=PublishedFlows(sandbox, instance_arn),
        functions=DeployedFunctions(sandbox, instance_arn),
        external_voice=Nobody(),
        records=LeftBehind(sandbox, instance_arn),
    )
    contact = Contact(ports, instance_arn=instance_arn, caller=Caller(moves=[Presses(CARD)]))
    return contact.calls(made.resources["Flow"])


OURS = {"Fn::GetAtt": ["Key", "AssociationId"]}


def test_only_the_private_key_reads_what_was_entered(sandbox: Sandbox, deploy: Any) -> None:
    ours = private_key("ours")
    made = deploy(template(certificate(signed_by=ours, holder=ours), OURS))
    contact = play(sandbox, made)
    stored = str(contact.state.stored_input)
    used = sandbox.boto3_client("cloudwatch").list_metrics(MetricName="PublicSigningKeyUsage")["Metrics"]

    contact.hears("Thank you.")
    assert CARD not in stored
    assert stored.startswith("AYADe")
    assert decrypted(stored, ours) == ("AmazonConnect", made.outputs["Key"], CARD)
    with pytest.raises(ValueError, match=r"[Dd]ecryption"):
        decrypted(stored, private_key("theirs"))
    assert {"Name": "SigningKeyId", "Value": made.outputs["Key"]} in used[-1]["Dimensions"]


@pytest.mark.parametrize(
    ("signer", "key_id", "reason"),
    [
        ("theirs", OURS, "not signed with the instance's security key"),
        ("ours", "no-such-key", "the instance has no security key 'no-such-key'"),
    ],
)
def test_a_certificate_that_does_not_fit_takes_the_error_branch(
    sandbox: Sandbox, deploy: Any, signer: str, key_id: Any, reason: str
) -> None:
    key = private_key(signer)
    contact = play(sandbox, deploy(template(certificate(signed_by=key, holder=key), key_id)))

    contact.hears("Not encrypted.")
    assert reason in str(contact.transcript)
    assert contact.state.stored_input is None
