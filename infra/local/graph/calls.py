"""A call to Graph and its answer, without the connection they travel on.

An item of a JSON batch is a call like any other, so handlers know nothing of the web server.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from infra.local.graph.errors import GraphError, bad_request

JSON_TYPE = (
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;"
    "charset=utf-8"
)
CONNECTED_ORGANIZATIONS = "identityGovernance/entitlementManagement/connectedOrganizations"


@dataclass(frozen=True, slots=True)
class Caller:
    app_id: str
    roles: frozenset[str]


_NOBODY = Caller("", frozenset())


@dataclass(frozen=True, slots=True)
class Call:
    """``root`` is this emulator's address as the caller knows it, ``path`` what follows the
    version, ``body`` the JSON of the request or None where there is none that can be read."""

    method: str
    root: str
    version: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    caller: Caller = _NOBODY

    @property
    def base(self) -> str:
        return f"{self.root}/{self.version}"

    def context(self, entity_set: str) -> str:
        return f"{self.base}/$metadata#{entity_set}"

    def json_object(self) -> dict[str, Any]:
        if not isinstance(self.body, dict):
            raise bad_request(
                "Unable to read JSON request payload. Please ensure Content-Type header is set "
                "and payload is of valid JSON format."
            )
        return self.body


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE


NO_CONTENT = Answer(204)


def correlation(headers: Mapping[str, str]) -> dict[str, str]:
    """The ids by which Microsoft's support finds a call, the caller's own among them."""
    request_id = str(uuid4())
    return {
        "request-id": request_id,
        "client-request-id": headers.get("client-request-id", request_id),
    }


def error_answer(error: GraphError, ids: Mapping[str, str]) -> Answer:
    date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    body = {
        "error": {
            "code": error.code,
            "message": error.message,
            "innerError": {"date": date, **ids},
        }
    }
    return Answer(error.status, body, error.headers)
