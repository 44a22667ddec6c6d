"""Which app is called, and by whom: options, then the environment, then the profile."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from connorg.command.ending import CommandError
from connorg.command.profile import read_profile
from connorg.command.sign_in import EntraToken, FunctionKey

_OWN_MACHINE = ("localhost", "127.0.0.1", "::1")
_HOW = "Use --url, set CONNORG_URL, or store it once with `connorg login --url …`."


@dataclass(frozen=True)
class Connection:
    url: str
    """Without /api."""
    key: str | None = None
    scope: str | None = None
    """What a token is asked for at Entra; there is no key then."""

    def auth(self) -> httpx.Auth | None:
        """Return the caller; None: no credential, for what everybody may call."""
        if self.key:
            return FunctionKey(self.key)
        return EntraToken(self.scope) if self.scope else None


def connect(
    url: str | None, key: str | None, scope: str | None, profile: Path, *, needs_caller: bool = True
) -> Connection:
    """Return the connection. Raise CommandError where it is not all there."""
    held = read_profile(profile)
    if url is None and not held.get("url"):
        raise CommandError("The address of the app is missing.", _HOW)
    address = address_of(held["url"] if url is None else url)
    # What the profile keeps for one app goes to no other.
    if key is None and scope is None and held.get("url") and address == address_of(held["url"]):
        key, scope = held.get("key"), held.get("scope")
    key = None if scope else key_of(key)
    if needs_caller and not key and not scope:
        raise CommandError(
            "There is no credential.",
            "Set CONNORG_KEY (others may see --key), use --scope to sign in to Entra, or store"
            " either once with `connorg login`.",
        )
    return Connection(address, key, scope)


def address_of(url: str) -> str:
    """Return an address without /api at its end. Raise CommandError where no key may go there."""
    text = url.strip().rstrip("/").removesuffix("/api").rstrip("/")
    try:
        parts = urlsplit(text)
        is_own = parts.hostname in _OWN_MACHINE
        httpx.URL(text)
    except (ValueError, httpx.InvalidURL):
        raise CommandError("--url is not an address.") from None
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_own)):
        raise CommandError("--url must begin with https://, because keys go there.")
    if parts.query or parts.fragment:
        raise CommandError("--url must be only the app's address, without ? and #.")
    return text


def key_of(key: str | None) -> str | None:
    """Return a key as it is sent. Raise CommandError where it can be none."""
    key = (key or "").strip()
    if not (key.isascii() and key.isprintable()):
        raise CommandError("The key contains characters that a key never has.")
    return key or None
