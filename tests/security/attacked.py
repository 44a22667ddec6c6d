"""The app under attack, as a caller with a token or without one reaches it."""

import time
from collections.abc import Collection, Mapping
from typing import Any

import httpx

from connorg.contract.effects import Role
from infra.local.tokens import HOME_TENANT_ID
from tests.end_to_end.client import Connorg
from tests.stack import Stack

AUDIENCE = "api://connorg"
ADA = "aaaaaaaa-0000-4000-8000-000000000001"


class Attacked(Connorg):
    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self._tokens: dict[frozenset[str], str] = {}

    async def token(self, roles: Collection[str] = tuple(Role), **changes: Any) -> str:
        """Return a token that the tenant signed, with these claims."""
        now = int(time.time())
        claims = {
            "aud": AUDIENCE,
            "iss": f"https://login.microsoftonline.com/{HOME_TENANT_ID}/v2.0",
            "nbf": now - 60,
            "exp": now + 3600,
            "tid": HOME_TENANT_ID,
            "oid": ADA,
            "roles": [*roles],
            **changes,
        }
        url = f"{self.stack.identity}/{HOME_TENANT_ID}/tokens"
        answer = await self._http.post(url, json={"claims": claims})
        return str(answer.raise_for_status().json()["access_token"])

    async def ask(
        self,
        method: str,
        path: str,
        roles: Collection[str] = (),
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Call with a token that has these roles."""
        named = frozenset(roles)
        if named not in self._tokens:
            self._tokens[named] = await self.token(roles)
        given = {"authorization": f"Bearer {self._tokens[named]}", **(headers or {})}
        url = f"{self.stack.functions}/api/{path}"
        return await self._http.request(method, url, json=json, headers=given)
