"""Lists of names in the app settings: `contoso.com` means itself, `*.contoso.com` all below it.

An entry that can match nothing is refused: a list that denies or limits would let through what it
seems to name.
"""

import re
from collections.abc import Collection
from fnmatch import fnmatchcase

from connorg.contract import channels
from connorg.contract.domains import normalise_domain
from connorg.contract.model import GUID

_BELOW = "*."
_WEBHOOKS = re.compile(rf"{channels.webhook('')}[a-z0-9*-]{{1,64}}")
_HOST = re.compile(r"(\*\.)?[a-z0-9][a-z0-9.:-]*")


def is_listed(name: str, entries: Collection[str]) -> bool:
    parents = name.split(".")
    return name in entries or any(
        f"{_BELOW}{'.'.join(parents[i:])}" in entries for i in range(1, len(parents))
    )


def partner_entry(word: str) -> str:
    """Return an entry in the spelling by which partners are known. Raise ValueError."""
    if GUID.fullmatch(word):
        return word
    try:
        if word.startswith(_BELOW):  # all below a single label may be meant: `*.example`
            return f"{_BELOW}{normalise_domain(f'x.{word[2:]}')[2:]}"
        return normalise_domain(word)
    except ValueError:
        raise ValueError("must be a domain, *.domain, or a tenant id") from None


def channel_entry(word: str) -> str:
    """Return an entry that some channel may match. Raise ValueError."""
    fixed = (channels.HTTP, channels.BATCH, channels.QUEUE)
    if any(fnmatchcase(channel, word) for channel in fixed) or _WEBHOOKS.fullmatch(word):
        return word
    raise ValueError(f"must be one of {', '.join(fixed)}, {channels.webhook('NAME')}, or end in *")


def updating_channel_entry(word: str) -> str:
    """Return an entry for channels other than HTTP, where roles decide. Raise ValueError."""
    if channel_entry(word) in {channels.HTTP, channels.BATCH}:
        raise ValueError(f"{word} needs no entry: over HTTP the caller's role decides")
    return word


def host_entry(word: str) -> str:
    """Return an entry that some host may match. Raise ValueError."""
    if _HOST.fullmatch(word):
        return word
    raise ValueError("must be a host, or *.domain, without a scheme and a path")
