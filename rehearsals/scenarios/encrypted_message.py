"""Opens what Amazon Connect has encrypted of a caller's input: an AWS Encryption SDK message of version 1.

Source: AWS Encryption SDK developer guide, "Message format reference", suite 03 78.
"""

from __future__ import annotations

import base64
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SUITE = "0378"
_FINAL = 0xFFFFFFFF


class _Reader:
    """Reads a message from its beginning; `at` is how far it is."""

    def __init__(self, message: bytes) -> None:
        self.message = message
        self.at = 0

    def take(self, length: int) -> bytes:
        self.at += length
        return self.message[self.at - length : self.at]

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def text(self) -> bytes:
        return self.take(self.number(2))


def opened(stored: str, key: rsa.RSAPrivateKey) -> tuple[str, str]:
    """Return the id of the security key, and the text. ValueError if `key` is not the one that it is for."""
    reader = _Reader(base64.b64decode(stored))
    version, _kind, suite = reader.number(1), reader.number(1), reader.take(2)
    if (version, suite.hex()) != (1, _SUITE):
        raise ValueError(f"version {version} and suite {suite.hex()} are not 1 and {_SUITE}")
    message_id = reader.take(16)
    reader.text()  # the encryption context, which the header's tag covers
    reader.take(2)  # one data key
    _provider, key_id, wrapped = reader.text(), reader.text(), reader.text()
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA512()), algorithm=hashes.SHA512(), label=None)
    data_key = key.decrypt(wrapped, oaep)
    derived = HKDF(hashes.SHA384(), 32, salt=None, info=suite + message_id).derive(data_key)
    cipher = AESGCM(derived)
    reader.take(1 + 4 + 1 + 4)  # framed, reserved, length of the nonces and of the frames
    header = reader.message[: reader.at]
    cipher.decrypt(reader.take(12), reader.take(16), header)
    if reader.number(4) != _FINAL:
        raise ValueError("the message has more than one frame; what callers enter has one")
    number, nonce, length = reader.number(4), reader.take(12), reader.number(4)
    described = b"AWSKMSEncryptionClient Final Frame" + struct.pack(">IQ", number, length)
    clear = cipher.decrypt(nonce, reader.take(length + 16), message_id + described)
    return key_id.decode(), clear.decode()
