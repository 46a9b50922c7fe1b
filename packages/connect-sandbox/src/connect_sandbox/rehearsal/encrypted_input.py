"""Encrypts what a caller enters, as Connect does: an AWS Encryption SDK message for the holder of a private key.

The certificate of the flow's block must be signed with a security key of the instance. Its RSA key wraps the data key
(OAEP with SHA-512, provider AmazonConnect, the security key's id as name). Sources: administrator guide, "Encrypt
sensitive customer input"; AWS Encryption SDK developer guide, "Message format" (version 1, suite 03 78).
"""

from __future__ import annotations

import base64
import os
import struct
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509 import Certificate, load_pem_x509_certificate

PROVIDER = "AmazonConnect"
_VERSION, _TYPE = 1, 0x80
# evidence: encrypted-input-format
_SUITE = 0x0378
_FRAMED, _FRAME_LENGTH = 2, 4096
_IV_LENGTH = 12
_FINAL = 0xFFFFFFFF


class NotEncryptedError(Exception):
    """The block's certificate cannot be used; the block takes its Error branch."""


def encrypt(text: str, *, key_id: str, certificate: str, security_key: str) -> str:
    """Return the Base64 of `text`, encrypted for the certificate's holder.

    `certificate` (X.509) and `security_key` (public) are PEM. NotEncryptedError if the key has not signed the
    certificate, or if the certificate holds no RSA key.
    """
    key = _rsa_key(certificate, security_key)
    data_key, message_id = os.urandom(32), os.urandom(16)
    signer = ec.generate_private_key(ec.SECP384R1())
    point = signer.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    context = _texts([b"aws-crypto-public-key", base64.b64encode(point)])
    aad = struct.pack(">H", 1) + context
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA512()), algorithm=hashes.SHA512(), label=None)
    wrapped = _texts([PROVIDER.encode(), key_id.encode(), key.encrypt(data_key, oaep)])
    header = (
        struct.pack(">BBH", _VERSION, _TYPE, _SUITE)
        + message_id
        + _texts([aad])
        + struct.pack(">H", 1)
        + wrapped
        + struct.pack(">BIBI", _FRAMED, 0, _IV_LENGTH, _FRAME_LENGTH)
    )
    derived = HKDF(hashes.SHA384(), 32, salt=None, info=struct.pack(">H", _SUITE) + message_id).derive(
        data_key
    )
    cipher = AESGCM(derived)
    authentication = _iv(0) + cipher.encrypt(_iv(0), b"", header)
    message = header + authentication + _only_frame(cipher, message_id, text.encode())
    signature = signer.sign(message, ec.ECDSA(hashes.SHA384()))
    return base64.b64encode(message + _texts([signature])).decode()


def _only_frame(cipher: AESGCM, message_id: bytes, content: bytes) -> bytes:
    """Return the body: one frame, since what callers enter is short."""
    described = b"AWSKMSEncryptionClient Final Frame" + struct.pack(">IQ", 1, len(content))
    sealed = cipher.encrypt(_iv(1), content, message_id + described)
    return struct.pack(">II", _FINAL, 1) + _iv(1) + struct.pack(">I", len(content)) + sealed


def _rsa_key(certificate: str, security_key: str) -> rsa.RSAPublicKey:
    try:
        read = load_pem_x509_certificate(certificate.strip().encode())
        signing_key = serialization.load_pem_public_key(security_key.strip().encode())
    except ValueError as error:
        raise NotEncryptedError(f"certificate or security key is not PEM: {error}") from error
    _require_signature(read, signing_key)
    key = read.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise NotEncryptedError("the certificate holds no RSA key")
    return key


def _require_signature(certificate: Certificate, signing_key: object) -> None:
    algorithm = certificate.signature_hash_algorithm
    if not isinstance(signing_key, rsa.RSAPublicKey) or algorithm is None:
        raise NotEncryptedError("the security key is no RSA key")
    try:
        signing_key.verify(
            certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), algorithm
        )
    except InvalidSignature as error:
        raise NotEncryptedError("the certificate is not signed with the instance's security key") from error


def _texts(parts: Sequence[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(part)) + part for part in parts)


def _iv(number: int) -> bytes:
    return number.to_bytes(_IV_LENGTH, "big")
