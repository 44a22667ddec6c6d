"""Signatures as Standard Webhooks has them, symmetric (`v1`), of what comes in and what goes out.

Source: the Standard Webhooks specification.
"""

import base64
import binascii
import hmac


def key_of(secret: str) -> bytes:
    """Return the key that a secret encodes. Raise ValueError if it can't be one."""
    encoded = secret.removeprefix("whsec_")
    try:
        # Some show it without the signs that fill the last four characters.
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError("must be whsec_ and Base64, as the sender shows it")
    return key


def signature(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> str:
    """Sign a body with its id and its time, in whole seconds since 1970."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    mac = hmac.digest(key, signed, "sha256")
    return f"v1,{base64.b64encode(mac).decode()}"
