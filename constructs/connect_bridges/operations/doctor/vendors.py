"""Checks of what is outside AWS: addresses of vendors, the confirmed subscription, a provider function."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing
from http.client import HTTPSConnection
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from connect_bridges.operations.doctor.aws import Refused, Region
from connect_bridges.operations.doctor.findings import About, Finding
from connect_bridges.operations.doctor.subjects import Part, Subject

_LIMIT = 5.0  # seconds, to connect and again for the handshake
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def endpoint(about: About, url: str) -> Finding:
    """Shake hands with a vendor's address over TLS; no request is sent. Asked from here, not from AWS.

    A certificate that is refused here is refused by Amazon SNS and by the functions as well, unless this machine trusts
    authorities of its own.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return about.failure(f"{url} is no URL", "write https://HOST/PATH")
    if host in _THIS_MACHINE:
        return _here(about, url)
    if parts.scheme != "https":
        return about.failure(f"{url} is not https", "write the vendor's https URL")
    try:
        answers = _handshake(host, port)
    except OSError as error:
        found, fix, *commands = _no_handshake(error, f"{host}:{port}", host)
        return about.failure(found, fix, *commands)
    return about.ok(f"{host}:{port} answers with {answers} and a trusted certificate")


def _handshake(host: str, port: int) -> str:
    """Return the version of TLS. A proxy of this machine (HTTPS_PROXY) is asked for a tunnel."""
    context = ssl.create_default_context()
    proxy = urlsplit(getproxies().get("https", ""))
    if proxy.hostname and not proxy_bypass(host):
        connection = HTTPSConnection(proxy.hostname, proxy.port or 80, timeout=_LIMIT, context=context)
        connection.set_tunnel(host, port)
    else:
        connection = HTTPSConnection(host, port, timeout=_LIMIT, context=context)
    with closing(connection):
        connection.connect()
        return str(connection.sock.version())


def _no_handshake(error: OSError, place: str, host: str) -> tuple[str, ...]:
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"the certificate of {place} is not trusted: {error.verify_message}",
                "have the vendor mend it: Amazon SNS and the functions refuse it as well",
                f"openssl s_client -connect {place} -servername {host} </dev/null",
            )
        case socket.gaierror():
            return (
                f"the name {host} does not resolve",
                "correct the URL, or have the vendor set the name up",
            )
        case TimeoutError():
            return (
                f"{place} did not answer within {_LIMIT:g} s",
                "see with the vendor whether it runs, and whether only certain addresses may reach it",
            )
    return (
        f"no TLS with {place}: {_reason(error)}",
        "see with the vendor whether it runs and speaks TLS 1.2 or newer",
    )


def _here(about: About, url: str) -> Finding:
    return about.warning(
        f"{url} is an address of this machine: right for a rehearsal; in AWS the function's own machine is what it "
        "names, and Amazon SNS refuses it",
        "write the vendor's https URL before deploying to AWS",
    )


def _reason(error: OSError) -> str:
    return str(getattr(error, "reason", None) or error.strerror or error)


def connector_host(about: About, host: str) -> Finding:
    """See that the session border controller's name resolves; whom it lets in is the vendor's matter."""
    try:
        socket.getaddrinfo(host, None)
    except socket.gaierror:
        return about.warning(
            f"the name {host} does not resolve here: the connector would be refused, or reach nobody",
            "correct host, or have the vendor set the name up",
        )
    return about.ok(f"{host} resolves")


def subscription(about: About, subject: Subject, part: Part, where: Region) -> Finding:
    """See that the vendor has confirmed its subscription, without which no message of a customer reaches it.

    There is no command that has SNS ask again: Subscribe refuses a subscription that has attributes, unless all of them
    are given once more.
    """
    if part.deployed is None:
        return about.skipped(
            "comes with the deployment; the vendor's channel has to be enabled before, so that it confirms"
        )
    topic, url = str(part.deployed.text("topicArn")), part.deployed.text("webhookUrl")
    again = f"npx cdk deploy {subject.name} --revert-drift"
    try:
        listed = where.pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
    except Refused as refusal:
        if not refusal.missing:
            raise
        return about.failure(f"the topic {topic} is gone, deleted by hand?", "deploy it again", again)
    found = [each["SubscriptionArn"] for each in listed if each.get("Endpoint") == url]
    if not found:
        return about.failure(
            f"the topic has no subscription for {url}; one that nobody confirms vanishes after two days",
            "enable the vendor's channel, then deploy it again",
            again,
        )
    if not any(arn.startswith("arn:") for arn in found):
        return about.failure(
            "not confirmed",
            f"enable the vendor's channel, then have SNS ask again: open {_console(where, topic)}, choose the "
            "subscription and Request confirmation",
        )
    return about.ok("confirmed")


def _console(where: Region, topic: str) -> str:
    return f"https://{where.name}.console.aws.amazon.com/sns/v3/home?region={where.name}#/topic/{topic}"


def provider_function(about: About, where: Region, arn: str, seconds: int | None) -> Finding:
    """See that the function of an own voice check is there, and may take as long as the gate waits for it."""
    try:
        found = where.ask("lambda", "get_function_configuration", FunctionName=arn)
    except Refused as refusal:
        if not refusal.missing:
            raise
        return about.failure(f"{arn} does not exist", "deploy it first, or correct its ARN")
    if found.get("State", "Active") == "Failed":
        return about.failure(
            f"Failed: {found.get('StateReason', 'no reason given')}",
            "mend it",
            f"aws lambda get-function-configuration --region {where.name} --function-name {arn}",
        )
    if seconds and int(found.get("Timeout", seconds)) < seconds:
        return about.warning(
            f"is stopped after {found['Timeout']} s, while the gate waits {seconds} s",
            "give it more time",
            f"aws lambda update-function-configuration --region {where.name} --function-name {arn} "
            f"--timeout {seconds + 1}",
        )
    return about.ok(f"{found.get('State', 'Active')}, may take {found.get('Timeout')} s")
