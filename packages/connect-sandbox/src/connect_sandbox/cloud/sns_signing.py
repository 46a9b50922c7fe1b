"""The signatures of SNS messages, and the certificate to verify them with.

Source: Amazon SNS developer guide, "Verifying the signatures of Amazon SNS messages". Version 1 is SHA1 with RSA,
version 2 SHA256 with RSA. Each sandbox makes a new self-signed certificate, served at SigningCertURL.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Mapping

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

_HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303  (version 1)
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip


class SnsSigner:
    """Signs messages with its own key."""

    def __init__(self) -> None:
        """Make the key and its certificate, valid for a day."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(days=1))
            .sign(self._key, hashes.SHA256())
        )
        self.certificate_pem = certificate.public_bytes(serialization.Encoding.PEM)
        self.certificate_name = (
            f"SimpleNotificationService-{hashlib.sha256(self.certificate_pem).hexdigest()[:32]}.pem"
        )

    def sign(self, document: Mapping[str, str], version: str) -> str:
        """Return the signature of a message (its members without the signature), in base64."""
        signature = self._key.sign(string_to_sign(document), padding.PKCS1v15(), _HASHES[version])
        return base64.b64encode(signature).decode()


def string_to_sign(document: Mapping[str, str]) -> bytes:
    """Return the text that a message's signature covers: names and values in turn, one a line."""
    names = _SIGNED.get(document.get("Type", ""), _SIGNED["SubscriptionConfirmation"])
    return "".join(f"{name}\n{document[name]}\n" for name in names if name in document).encode()


def is_signed(document: Mapping[str, str], certificate_pem: bytes) -> bool:
    """Return whether a message has a valid signature by the certificate's key."""
    key = x509.load_pem_x509_certificate(certificate_pem).public_key()
    algorithm = _HASHES.get(document.get("SignatureVersion", ""))
    if not isinstance(key, rsa.RSAPublicKey) or algorithm is None:
        return False
    try:
        key.verify(
            base64.b64decode(document.get("Signature", "")),
            string_to_sign(document),
            padding.PKCS1v15(),
            algorithm,
        )
    except (InvalidSignature, ValueError):
        return False
    return True
