"""Keys, and which of them a request carries (Azure Functions host, access keys)."""

import hmac
import os
from dataclasses import dataclass, field

from aiohttp import web

from infra.local.functions_host import DEFAULT_FUNCTION_KEY, DEFAULT_MASTER_KEY

HEADER = "x-functions-key"
QUERY_PARAMETER = "code"


@dataclass(frozen=True)
class Keys:
    """The keys of this host; the settings LOCAL_HOST_FUNCTION_KEY and …_MASTER_KEY change them."""

    function: str = field(
        default_factory=lambda: os.environ.get("LOCAL_HOST_FUNCTION_KEY", DEFAULT_FUNCTION_KEY)
    )
    master: str = field(
        default_factory=lambda: os.environ.get("LOCAL_HOST_MASTER_KEY", DEFAULT_MASTER_KEY)
    )

    def allow(self, request: web.Request, level: str) -> bool:
        """Whether the request may call a function of this authLevel: the master key opens all."""
        if level == "anonymous":
            return True
        accepted = [self.master] if level == "admin" else [self.master, self.function]
        given = _given_key(request).encode()
        return any(hmac.compare_digest(given, key.encode()) for key in accepted)


def _given_key(request: web.Request) -> str:
    """The header beats the query parameter, even with an empty value."""
    if HEADER in request.headers:
        return request.headers[HEADER]
    return next(
        (value for name, value in request.query.items() if name.lower() == QUERY_PARAMETER), ""
    )
