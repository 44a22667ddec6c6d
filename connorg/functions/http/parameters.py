"""What a caller says beside the body: query parameters and headers that steer.

Each is declared once, as a Parameter. A handler names those that it takes by `takes` and reads them
by `of`; the OpenAPI document describes them; whatever else a caller says is refused, as is what
can't be used: nothing is ignored.

The host's own reading of the query is not enough: it drops empty values and joins those of a name
that comes twice. So the query is read from the address.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func
from pydantic import TypeAdapter, ValidationError

from connorg.contract.blanks import says_nothing
from connorg.contract.faults import faults_of
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.contract.requests import LARGEST_BODY, REFERENCE_LENGTH, Reference
from connorg.settings import entra_required

type Schema = dict[str, Any]

HOST_KEY = "code"
"""The parameter that the host reads as the function key, unless it comes as a header."""
_LONGEST_NAME = 64  # characters of an unknown name that are repeated
_STEERING = ("If-Match", "Idempotency-Key")
"""A caller that sends one to a function that changes something relies on it."""


@dataclass(frozen=True)
class Parameter[T]:
    """A query parameter, or a header that steers. Names match regardless of case."""

    name: str
    description: str
    schema: Schema
    read: Callable[[str], T]
    """Raises ValueError, whose text follows the name: `must be true or false`."""
    default: T
    place: Literal["query", "header"] = "query"

    def of(self, req: func.HttpRequest) -> T:
        """Return what a request says, or the default. Raise ProblemError."""
        text = self._text_of(req)
        if text is None:
            return self.default
        try:
            return self.read(text)
        except ValueError as error:
            raise refused(f"{self.name} {error}.") from None

    def is_given(self, req: func.HttpRequest) -> bool:
        return self._text_of(req) is not None

    def _text_of(self, req: func.HttpRequest) -> str | None:
        if self.place == "header":
            header: str | None = req.headers.get(self.name)
            return header
        texts = [text for name, text in query_of(req) if name.lower() == self.name.lower()]
        if len(texts) > 1:
            raise refused(f"{self.name} is sent {len(texts)} times.", f"Send one {self.name}.")
        if texts and not texts[0].strip():
            raise refused(f"{self.name} is empty.", "Send a value, or leave it out.")
        return texts[0] if texts else None


def query_of(req: func.HttpRequest) -> list[tuple[str, str]]:
    """Return the query, in its order, without the host's key. Raise ProblemError."""
    query = urlsplit(req.url).query
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise refused("The query is not UTF-8.", "Encode it as UTF-8, then by percents.") from None
    key = req.headers.get("x-functions-key")
    is_key = key is None and not entra_required()
    return [
        (name, text)
        for name, text in pairs
        if name.lower() != HOST_KEY or not (is_key or text == key)
    ]


def takes[Function: Callable[..., Any]](
    *parameters: Parameter[Any],
) -> Callable[[Function], Function]:
    """Declare what a handler takes. One without this takes nothing."""

    def declare(handler: Function) -> Function:
        _TAKEN[handler] = parameters
        return handler

    return declare


def takes_anything[Function: Callable[..., Any]](handler: Function) -> Function:
    """Declare that a handler's callers may append any parameters to their addresses."""
    _TAKEN[handler] = None
    return handler


_TAKEN: dict[Callable[..., Any], tuple[Parameter[Any], ...] | None] = {}


def taken_by(handler: Callable[..., Any]) -> tuple[Parameter[Any], ...] | None:
    """Return what a handler takes; None: whatever comes, and reads nothing of it."""
    return _TAKEN.get(handler, ())


def refuse_what_is_not_taken(
    req: func.HttpRequest, taken: Sequence[Parameter[Any]], *, changes: bool
) -> None:
    """Raise ProblemError for the first thing that can't be used. `changes`: anything at all."""
    names = {parameter.name.lower(): parameter.name for parameter in taken}
    for name, _ in query_of(req):
        if name.lower() not in {*names, HOST_KEY}:
            raise _unknown(name, [p.name for p in taken if p.place == "query"])
    for header in _STEERING if changes else ():
        if header in req.headers and header.lower() not in names:
            raise refused(f"This operation takes no {header}.", "Send the request without it.")
    for parameter in taken:
        parameter.of(req)


def refused(detail: str, action: str | None = None) -> ProblemError:
    return ProblemError(ProblemKind.INVALID_PARAMETER, detail, action)


def _unknown(name: str, known: Sequence[str]) -> ProblemError:
    # Where a name should be there can be anything, a key too that was sent without `code=`.
    shown = name if name.isprintable() and len(name) <= _LONGEST_NAME else ""
    detail = f"There is no parameter {shown}".rstrip() + " here."
    if not known:
        return refused(detail, "This operation takes no parameters; leave it out.")
    nearest = _nearest(name, known)
    return refused(f"{detail} The nearest is {nearest}.", f"The parameters are {', '.join(known)}.")


def _nearest(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  only an error pays for it

    by_case = {one.lower(): one for one in known}
    return by_case[get_close_matches(name.lower(), by_case, n=1, cutoff=0)[0]]


def flag(name: str, description: str) -> Parameter[bool]:
    return Parameter(name, description, {"type": "boolean", "default": False}, truth, default=False)


def truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text.lower() == "true"


def choice[Choice: StrEnum](
    name: str, description: str, choices: type[Choice]
) -> Parameter[Choice | None]:
    schema = {"type": "string", "enum": [*choices]}
    return Parameter(name, description, schema, one_of(choices), None)


def one_of[Choice: StrEnum](choices: type[Choice]) -> Callable[[str], Choice]:
    by_name = {one.value.lower(): one for one in choices}

    def read(text: str) -> Choice:
        if text.lower() not in by_name:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return by_name[text.lower()]

    return read


def text(name: str, description: str, longest: int) -> Parameter[str | None]:
    """Declare a text that is taken as it is, of so many characters at most."""

    def read(text: str) -> str:
        if len(text) > longest:
            raise ValueError(f"has at most {longest} characters")
        return text

    schema = {"type": "string", "minLength": 1, "maxLength": longest}
    return Parameter(name, description, schema, read, None)


def word(name: str, description: str, pattern: str, must: str) -> Parameter[str | None]:
    """Declare a text of a pattern, in lower case."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text.lower()):
            raise ValueError(must)
        return text.lower()

    return Parameter(name, description, {"type": "string", "pattern": pattern}, read, None)


def typed(name: str, description: str, kind: Any, schema: Schema) -> Parameter[str | None]:
    """Declare a text of a kind that the contract knows."""

    def read(text: str) -> str:
        try:
            return str(TypeAdapter(kind).validate_python(text))
        except ValidationError as error:
            raise ValueError(faults_of(error)[0].detail.rstrip(".")) from None

    return Parameter(name, description, schema, read, None)


def reference(description: str) -> Parameter[str | None]:
    kind = typed("reference", description, Reference, {})

    def read(text: str) -> str | None:
        # No request has such a reference: in a body it is left out.
        if says_nothing(text):
            raise ValueError("is a word that says that there is none")
        return kind.read(text)

    schema = {"type": "string", "minLength": 1, "maxLength": REFERENCE_LENGTH}
    return Parameter("reference", description, schema, read, None)


def _page(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > _LARGEST_PAGE:
        raise ValueError(f"must be a number from 1 to {_LARGEST_PAGE}")
    return int(text)


_DEFAULT_PAGE, _LARGEST_PAGE = 50, 100
_NUMBER = re.compile("[1-9][0-9]{0,2}")
TOP = Parameter(
    "top",
    "How many at most.",
    {"type": "integer", "minimum": 1, "maximum": _LARGEST_PAGE, "default": _DEFAULT_PAGE},
    _page,
    _DEFAULT_PAGE,
)
CONTINUATION = text("continuationToken", "The token of the page before.", 4096)
DRY_RUN = flag("dryRun", "Only say what would happen.")


def body_of(
    req: func.HttpRequest,
    largest: int = LARGEST_BODY,
    advice: str = "Send one organization at a time.",
) -> bytes:
    body = req.get_body()
    if len(body) > largest:
        raise ProblemError(
            ProblemKind.BODY_TOO_LARGE,
            f"The body has {len(body)} bytes; at most {largest} are read.",
            advice,
        )
    return body
