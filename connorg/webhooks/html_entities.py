"""HTML's entities, as ticketing systems put them into names."""

import html
import re

_ENTITY = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")


def without_entities(text: str) -> str:
    """Return a text with entities as the characters that they represent.

    Only with their semicolon: `&copy=1` is a part of an address.
    """
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
