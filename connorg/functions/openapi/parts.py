"""The parts that operations are described by, and what several of them have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connorg.contract.model import Model
from connorg.contract.onboarding import Status
from connorg.contract.problems import ProblemKind as Kind
from connorg.contract.sponsors import SponsorKind

type Schema = dict[str, Any]


@dataclass(frozen=True)
class Parameter:
    name: str
    description: str
    schema: Schema
    place: str = "query"


@dataclass(frozen=True)
class ListOf:
    """A page of a list."""

    of: type[Model]
    is_continued: bool = True


@dataclass(frozen=True)
class Answer:
    """A success. One model of several stands in the body; none: it has no body."""

    description: str
    models: tuple[type[Model] | ListOf, ...] = ()
    headers: tuple[str, ...] = ()
    """Those that are always there."""
    more_headers: tuple[str, ...] = ()
    """Those that may be there."""
    media_types: tuple[str, ...] = ("application/json",)


@dataclass(frozen=True)
class Operation:
    summary: str
    description: str
    answers: Mapping[int, Answer]
    problems: tuple[Kind, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    request: tuple[type[Model], ...] = ()
    """One model of several; none: it takes no body, or any (`takes_any`)."""
    is_optional: bool = False
    """Whether it may come without a body."""
    takes_any: bool = False
    takes_many: bool = False
    """Whether it takes a file of them: a JSON array, NDJSON or CSV."""
    example: Any = None


class Document(Model, extra="allow"):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]


# What goes wrong anywhere, and where a role is asked for.
ANYWHERE = (Kind.INTERNAL_ERROR, Kind.MISCONFIGURED)
WITH_A_ROLE = (Kind.UNAUTHENTICATED, Kind.FORBIDDEN)

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean", "default": False}
# Of all routes that have them.
PATH: Mapping[str, Parameter] = {
    "id": Parameter("id", "The id.", TEXT, "path"),
    "kind": Parameter(
        "kind", "The kind of sponsors.", {"type": "string", "enum": [*SponsorKind]}, "path"
    ),
    "sponsor": Parameter("sponsor", "An object id or a user principal name.", TEXT, "path"),
    "source": Parameter("source", "The declared source.", TEXT, "path"),
    "requestId": Parameter(
        "requestId", "The id of the access package assignment request.", TEXT, "path"
    ),
    "resourceRoleId": Parameter("resourceRoleId", "The id of the resource role.", TEXT, "path"),
}
DRY_RUN = Parameter("dryRun", "Only say what would happen.", FLAG)
READ_BACK = Parameter("readBack", "Read once which identity source Graph resolved.", FLAG)
TOKEN = Parameter("token", "The key that Location holds.", TEXT)
TOP = Parameter(
    "top",
    "How many at most.",
    {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
)
CONTINUATION = Parameter("continuationToken", "Of the page before.", TEXT)
CHANNEL = Parameter("channel", "How the requests came in: http, queue, batch, webhook:….", TEXT)
BATCH = Parameter("batch", "The batch that they are rows of.", TEXT)
REFERENCE = Parameter("reference", "The ticket that they came from.", TEXT)
ALL = Parameter("all", "Take all of them, where nothing else says which.", FLAG)
_MOMENT: Schema = {"type": "string", "examples": ["2026-11-02T09:30:00Z", "24h", "7d"]}
ONBOARDING_FILTERS = (
    Parameter("status", "The status.", {"type": "string", "enum": [*Status]}),
    Parameter("code", "The error code, where the key is sent as a header.", TEXT),
    CHANNEL,
    Parameter("source", "The old name of channel.", TEXT),
    REFERENCE,
    BATCH,
    Parameter("since", "Accepted then or later: a time, or a while ago.", _MOMENT),
    Parameter("until", "Accepted then or earlier: a time, or a while ago.", _MOMENT),
    Parameter("text", "In the name, the partner or the reference, in any case.", TEXT),
)
IF_MATCH = Parameter("If-Match", "The ETag of the organization as it was read.", TEXT, "header")
PREFER = Parameter(
    "Prefer",
    "How long to wait for the result: respond-async, or wait=N seconds.",
    {"type": "string", "examples": ["respond-async", "wait=10"]},
    "header",
)
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "The same key and body give the same onboarding.",
    {"type": "string", "minLength": 1, "maxLength": 255},
    "header",
)
