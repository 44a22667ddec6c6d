"""The Idempotency-Key: one rule for the header of a request and the field of a queue message.

Source: IETF draft "The Idempotency-Key HTTP Header Field", which quotes the key; most callers send
it bare.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

_KEY = re.compile(r'"([^"]+)"|([^"]+)')
_LONGEST = 255


def normalise_idempotency_key(text: str) -> str:
    """Return the key without its quotes and the spaces around it.

    Raise ValueError with a sentence for the caller.
    """
    match = _KEY.fullmatch(text.strip())
    key = (match[1] or match[2]) if match else ""
    if not 1 <= len(key) <= _LONGEST or not key.isprintable():
        raise ValueError(f"must have 1 to {_LONGEST} printable characters")
    return key


IdempotencyKey = Annotated[str, AfterValidator(normalise_idempotency_key)]
