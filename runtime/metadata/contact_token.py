"""A contact's own token: an expiry and a signature over the contact id, checked without a table.

The flow hands it to the external voice system together with the call, so that who has the vendor's token alone can
write for no contact, and who has a contact's token for that contact only, until it expires.

Form: 40 hexadecimal digits, since the SIP header User-to-User carries such (RFC 7433): 4 bytes with the Unix time in
seconds at which it expires, big-endian, and the first 16 bytes of HMAC-SHA256, whose key is a version of the secret,
over a label, those 4 bytes and the contact id. 16 bytes are 128 bits, and nobody can try them but over the API.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from runtime.shared.rotated_secret import RotatedSecret, UnfitSecretError

_LABEL = b"connect-bridges contact token 1\0"
_MAC_BYTES = 16
_FORM = re.compile(r"\s*([0-9a-f]{8})([0-9a-f]{32})\s*(?:;.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
_SHORTEST_KEY = 16


def contact_token(key: bytes, contact_id: str, *, expires_at: int) -> str:
    """Return a contact's token; the contact id is written in lower case, `expires_at` is Unix time in seconds."""
    expiry = expires_at.to_bytes(4, "big")
    return (expiry + _mac(key, contact_id, expiry)).hex()


def is_valid(shown: str, contact_id: str, *, keys: RotatedSecret[bytes], now: float) -> bool:
    """Tell whether a text is a token of that contact that has not expired, signed with any version of the secret.

    What follows a semicolon is left out: SIP writes the encoding there, as in ``;encoding=hex``. Compared in constant
    time. Raises SecretUnavailableError.
    """
    found = _FORM.fullmatch(shown)
    if found is None:
        return False
    expiry, mac = (bytes.fromhex(part) for part in found.groups())
    if int.from_bytes(expiry, "big") <= now:
        return False
    return keys.any_version(lambda key: hmac.compare_digest(mac, _mac(key, contact_id, expiry)))


def signing_key(text: str) -> bytes:
    """Return the key that a version of the secret holds; raises UnfitSecretError for one that could be guessed."""
    key = text.strip().encode("utf-8", "surrogatepass")
    if len(key) < _SHORTEST_KEY:
        raise UnfitSecretError(f"it holds fewer than {_SHORTEST_KEY} bytes, which is no key to sign with")
    return key


def _mac(key: bytes, contact_id: str, expiry: bytes) -> bytes:
    return hmac.digest(key, _LABEL + expiry + contact_id.encode(), hashlib.sha256)[:_MAC_BYTES]
