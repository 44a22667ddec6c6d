"""Cross-origin requests, where the host handles them itself: only if a setting says so."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from aiohttp import web

ANY = "*"


@dataclass(frozen=True)
class Cors:
    """Settings FUNCTIONS_ENABLE_CORS_CONFIGURATION, CORS_ALLOWED_ORIGINS, …_SUPPORT_CREDENTIALS."""

    is_on: bool
    origins: tuple[str, ...]
    with_credentials: bool

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        return cls(
            environment.get("FUNCTIONS_ENABLE_CORS_CONFIGURATION") == "1",
            tuple(json.loads(environment.get("CORS_ALLOWED_ORIGINS", "[]"))),
            environment.get("CORS_SUPPORT_CREDENTIALS", "").lower() == "true",
        )

    def preflight(self, request: web.Request) -> web.Response | None:
        """The answer to a preflight, whatever the path and before keys; None to all else.

        It allows what is asked for.
        """
        method = request.headers.get("Access-Control-Request-Method")
        is_preflight = request.method == "OPTIONS" and "Origin" in request.headers
        if not self.is_on or not method or not is_preflight:
            return None
        response = web.Response(status=204)
        self.mark(request, response)
        if "Access-Control-Allow-Origin" in response.headers:
            response.headers["Access-Control-Allow-Methods"] = method
            if headers := request.headers.get("Access-Control-Request-Headers"):
                response.headers["Access-Control-Allow-Headers"] = headers
        return response

    def mark(self, request: web.Request, response: web.Response) -> None:
        """Let a page of an allowed origin read the answer."""
        origin = request.headers.get("Origin")
        if not self.is_on or not origin or not {origin, ANY} & set(self.origins):
            return
        response.headers["Access-Control-Allow-Origin"] = ANY if ANY in self.origins else origin
        if self.with_credentials:
            response.headers["Access-Control-Allow-Credentials"] = "true"
