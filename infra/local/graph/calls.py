"""A call to Graph and its answer, without the connection they travel on.

An item of a JSON batch is a call like any other, so handlers know nothing of the web server.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from infra.local.graph.bodies import read_body
from infra.local.graph.errors import GraphError, bad_request
from infra.local.graph.json_reader import plain
from infra.local.graph.paths import Segment
from infra.local.graph.query import Query

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
    version, ``content`` the body as it was sent."""

    method: str
    root: str
    version: str
    path: Sequence[Segment] = ()
    query: Query = field(default_factory=Query)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    caller: Caller = _NOBODY

    @property
    def base(self) -> str:
        return f"{self.root}/{self.version}"

    def context(self, entity_set: str) -> str:
        return f"{self.base}/$metadata#{entity_set}"

    def json(self) -> Any:
        """The body, as ``json_reader`` reads it. Raise GraphError."""
        return read_body(self.content, self.headers.get("Content-Type"))

    def json_object(self) -> dict[str, Any]:
        """For what is not read by the model. Raise GraphError."""
        body = plain(self.json())
        if not isinstance(body, dict):
            raise bad_request("The body must be a JSON object.")
        return body

    def prefers(self, preference: str) -> bool:
        return preference in re.split(r"[\s,;]+", self.headers.get("Prefer", "").lower())


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
