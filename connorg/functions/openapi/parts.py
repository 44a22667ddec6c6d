"""The parts that operations are described by, and what several of them have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connorg.contract.model import Model
from connorg.contract.problems import ProblemKind as Kind
from connorg.contract.sponsors import SponsorKind
from connorg.functions.http.parameters import Schema

TAGS: Mapping[str, tuple[str, str]] = {
    "connected-organizations": ("Organizations", "Connect organizations, and manage them."),
    "access-package-assignment-requests": (
        "Organizations",
        "Connect organizations, and manage them.",
    ),
    "onboardings": ("Onboardings", "What became of requests; replay, cancel, forget."),
    "batches": ("Batches", "Files of partners."),
    "reports": ("Reports", "Organizations of which identity teams ask."),
    "webhooks": ("Webhooks", "Events of ticketing systems."),
}
"""By the first part of a path: the tag of its operations, and what is said of it."""
OTHER_TAG = ("App", "The app itself: its health and its description.")


@dataclass(frozen=True)
class PathParameter:
    description: str
    schema: Schema


@dataclass(frozen=True)
class ListOf:
    """A page of a list."""

    of: type[Model]
    is_continued: bool = True


@dataclass(frozen=True)
class Answer:
    """A success. One model of several is in a JSON body; none: it has no such body."""

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
    request: tuple[type[Model], ...] = ()
    """One model of several; none: it takes no body, or any (`takes_any`)."""
    is_optional: bool = False
    """Whether it may come without a body."""
    takes_any: bool = False
    takes_many: bool = False
    """Whether it takes a file of them: a JSON array, NDJSON or CSV."""


class Document(Model, extra="allow"):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]


# What goes wrong anywhere, and where a role is asked for.
ANYWHERE = (Kind.INTERNAL_ERROR, Kind.MISCONFIGURED)
WITH_A_ROLE = (Kind.UNAUTHENTICATED, Kind.FORBIDDEN)

TEXT: Schema = {"type": "string"}
# Of all routes that have them.
PATH: Mapping[str, PathParameter] = {
    "id": PathParameter("The id.", TEXT),
    "kind": PathParameter("The kind of sponsors.", {"type": "string", "enum": [*SponsorKind]}),
    "sponsor": PathParameter("An object id or a user principal name.", TEXT),
    "source": PathParameter("The declared source.", TEXT),
    "file": PathParameter("The name of a file of the console.", TEXT),
    "requestId": PathParameter("The id of the access package assignment request.", TEXT),
    "resourceRoleId": PathParameter("The id of the resource role.", TEXT),
}
