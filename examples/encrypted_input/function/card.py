"""Opens the card number that a caller has entered, which nothing else in the contact centre can read.

Amazon Connect stores encrypted input as a message of the AWS Encryption SDK: provider AmazonConnect, name the security
key's id, data key wrapped with RSA-OAEP and SHA-512. Source: Amazon Connect administrator guide, "Encrypt sensitive
customer input".

The environment: PRIVATE_KEYS_SECRET_ARN, of a secret whose text is a JSON object of private keys in PEM by the id of
their security key. The flow gets isCard ("true", "false") and lastFour; the number is neither returned nor logged.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
from typing import Any

import aws_encryption_sdk
import boto3
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import CommitmentPolicy, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider

_log = logging.getLogger(__name__)
_secrets = boto3.client("secretsmanager")
# Amazon Connect's messages carry no key commitment, so a client that asks for it would refuse them.
_sdk = aws_encryption_sdk.EncryptionSDKClient(
    commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT, max_encrypted_data_keys=1
)


class SecurityKeys(RawMasterKeyProvider):
    """The private keys, each called by the id of its security key."""

    provider_id = "AmazonConnect"

    def __init__(self) -> None:
        """Read the keys from Secrets Manager."""
        read = _secrets.get_secret_value(SecretId=os.environ["PRIVATE_KEYS_SECRET_ARN"])["SecretString"]
        self._keys: dict[str, str] = json.loads(read)
        for key_id in self._keys:
            self.add_master_key(key_id)

    def _get_raw_key(self, key_id: bytes | str) -> WrappingKey:
        name = key_id.decode() if isinstance(key_id, bytes) else key_id
        return WrappingKey(
            wrapping_algorithm=WrappingAlgorithm.RSA_OAEP_SHA512_MGF1,
            wrapping_key=self._keys[name].encode(),
            wrapping_key_type=EncryptionKeyType.PRIVATE,
        )


def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Answer a flow that gives what the caller entered as the parameter card."""
    stored = str(event["Details"]["Parameters"]["card"])
    try:
        # The keys are read each time: one that was taken out of the secret opens nothing any more.
        clear, _ = _sdk.decrypt(source=base64.b64decode(stored, validate=True), key_provider=SecurityKeys())
    except (binascii.Error, AWSEncryptionSDKClientError) as error:
        # A caller who enters nothing leaves the word Timeout, which no key opens.
        _log.warning("what was entered cannot be opened: %s", type(error).__name__)
        return {"isCard": "false", "lastFour": ""}
    number = clear.decode()
    if not is_card(number):
        return {"isCard": "false", "lastFour": ""}
    # Hand the number to the payment provider here.
    return {"isCard": "true", "lastFour": number[-4:]}


def is_card(number: str) -> bool:
    """Tell whether a number has the length and the check digit of a card's."""
    if not (number.isascii() and number.isdigit() and 12 <= len(number) <= 19):
        return False
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
