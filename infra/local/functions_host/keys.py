"""Keys, and which level a request has by the key that it carries (Azure Functions host)."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

from infra.local.functions_host import DEFAULT_FUNCTION_KEY, DEFAULT_MASTER_KEY

HEADER = "x-functions-key"
QUERY_PARAMETER = "code"

ANONYMOUS, FUNCTION, SYSTEM, ADMIN = "anonymous", "function", "system", "admin"
# Which levels of a key open what: the master key opens all, and `user` nothing else.
OPENED_BY = {
    FUNCTION: (FUNCTION, ADMIN),
    SYSTEM: (SYSTEM, ADMIN),
    "user": (ADMIN,),
    ADMIN: (ADMIN,),
}
# What the pages of the host itself know keys by.
HOST_PAGES = ""


@dataclass(frozen=True)
class Keys:
    """The keys of a host: of all functions (`host`), of one, of extensions (`system`), master.

    A key is compared letter by letter. One that was accepted once is accepted in any case of
    letters from then on, as the real host's cache does.
    """

    master: str
    host: tuple[str, ...]
    system: tuple[str, ...] = ()
    functions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _accepted: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """The settings LOCAL_HOST_FUNCTION_KEY and …_MASTER_KEY change the two keys."""
        return cls(
            master=environment.get("LOCAL_HOST_MASTER_KEY", DEFAULT_MASTER_KEY),
            host=(environment.get("LOCAL_HOST_FUNCTION_KEY", DEFAULT_FUNCTION_KEY),),
        )

    def allow(self, key: str, level: str, function: str) -> bool:
        """Whether this key opens a function of this authLevel."""
        return level == ANONYMOUS or self.level(key, function) in OPENED_BY[level]

    def is_master(self, key: str) -> bool:
        return self.level(key) == ADMIN

    def level(self, key: str, function: str = HOST_PAGES) -> str:
        """The level of the key at this function: anonymous if it is unknown there."""
        remembered = (function, key.casefold())
        if remembered in self._accepted:
            return self._accepted[remembered]
        known = {
            ADMIN: (self.master,),
            FUNCTION: (*self.functions.get(function, ()), *self.host),
            SYSTEM: self.system,
        }
        for level, keys in known.items():
            if _is_one_of(key, keys):
                self._accepted[remembered] = level
                return level
        return ANONYMOUS


def given_key(request: web.Request, query: Iterable[tuple[str, str]]) -> str:
    """Return the first key: the header beats the query parameter, even with an empty value."""
    if HEADER in request.headers:
        return request.headers[HEADER]
    return next((value for name, value in query if name.lower() == QUERY_PARAMETER), "")


def _is_one_of(key: str, keys: Iterable[str]) -> bool:
    given = key.encode(errors="surrogateescape")
    return any(hmac.compare_digest(given, known.encode()) for known in keys)
