"""Deploys the stacks of rehearsals/apps/instance, and takes them away again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from rehearsals.scenarios.deploys import Assembly, StackDeployer
from rehearsals.scenarios.rehearsal import Rehearsal

APP = "instance"


@cache
def private_key() -> rsa.RSAPrivateKey:
    """Return the key that alone reads what callers enter."""
    return rsa.generate_private_key(65537, 2048)


def in_pem(key: rsa.RSAPrivateKey) -> str:
    """Return a private key as Secrets Manager keeps it."""
    form, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, clear).decode()


@contextmanager
def deployed(rehearsal: Rehearsal, stack: str) -> Iterator[Mapping[str, str]]:
    """Deploy a stack and yield its outputs; it is deleted with the context."""
    deployer = StackDeployer(rehearsal.sandbox)
    deploy(rehearsal, stack)
    rehearsal.note(f"{stack} is deployed")
    try:
        yield rehearsal.sandbox.stack_outputs(stack)
    finally:
        deployer.delete(stack)
        # For the next scenario: numbers that were released may be claimed again, and their allowance is there again.
        rehearsal.sandbox.contact_center.calendar.passes(days=181)


def deploy(rehearsal: Rehearsal, stack: str, *, variant: str = "") -> None:
    """Deploy a stack, or update it; DeployFailedError if CloudFormation refuses it. `variant`: see the app."""
    assembly = Assembly(rehearsal.deployment.assemble_app(APP, _context(rehearsal)) / variant)
    assembly.publish(rehearsal.sandbox)
    StackDeployer(rehearsal.sandbox).deploy(assembly.stack(stack))


def synthesize(rehearsal: Rehearsal, **context: str) -> None:
    """Synthesize the app; CdkFailedError if it is refused."""
    rehearsal.deployment.assemble_app(APP, {**_context(rehearsal), **context})


def _context(rehearsal: Rehearsal) -> dict[str, str]:
    center = rehearsal.deployment.contact_center
    told = rehearsal.sandbox.boto3_client("connect").describe_instance(InstanceId=center.instance_id)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = private_key().public_key().public_bytes(serialization.Encoding.PEM, form).decode()
    return {
        "instanceArn": center.instance_arn,
        "serviceRole": told["Instance"]["ServiceRole"],
        "publicKey": public.replace("\n", "|"),
        "certificate": _certificate().replace("\n", "|"),
    }


@cache
def _certificate() -> str:
    """Return a certificate of the key that the key itself has signed."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "customer input")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.public_key(private_key().public_key())
    builder = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=30))
    return builder.sign(private_key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
