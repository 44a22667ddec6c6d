"""From a delivery to the request that it asks for.

Administrators type what their systems send. So a value may be a number where we want text, what is
blank counts as a missing value, and there may be unknown fields.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from connorg.contract.asking import USUAL, ask_fields
from connorg.contract.blanks import is_blank
from connorg.contract.faults import Fault
from connorg.contract.identity_sources import SOURCE_KINDS, note_of_unused, source_type, typed
from connorg.contract.parsing import InvalidValuesError, MalformedBodyError
from connorg.contract.problems import ProblemKind
from connorg.contract.requests import REFERENCE_LENGTH, OnboardingRequest
from connorg.contract.texts import UndecodableError, text_of
from connorg.webhooks.expressions import (
    ExpressionError,
    conditions_of,
    evaluate,
    explained,
    paths_in,
)
from connorg.webhooks.html_entities import without_entities
from connorg.webhooks.proof import Delivery
from connorg.webhooks.senders import DeliveryId, Sender, leaves_of

_DEEPEST = 64  # levels of an event; tickets have less than ten
_MOST_VALUES = 20_000  # of an event, with names of members; a ticket with all fields has 2,000
_LONGEST_TEXT = 256 * 1024  # characters of one value
_LOOKED_AT = 1024  # bytes of a body, to tell what it is
_MOST_FINDINGS = 4  # expressions that a fault names

type Body = dict[str, Any]


@dataclass(frozen=True)
class Ignored:
    """The event does not count: it asks for nothing. `event` is what it is."""

    event: Any = None


@dataclass(frozen=True)
class Invalid:
    """The event counts, but what it asks for can't be done. `body` is what it was mapped to."""

    error: MalformedBodyError | InvalidValuesError
    body: Body
    delivery_id: str | None
    event: Any = None

    @property
    def kind(self) -> ProblemKind:
        malformed = isinstance(self.error, MalformedBodyError)
        return ProblemKind.MALFORMED_BODY if malformed else ProblemKind.INVALID_VALUES

    @property
    def faults(self) -> tuple[Fault, ...] | None:
        return self.error.faults if isinstance(self.error, InvalidValuesError) else None

    @property
    def reference(self) -> str | None:
        """The ticket, even where the rest is wrong; None: it is not named."""
        reference = self.body.get("reference")
        if not isinstance(reference, str):
            return None
        return "".join(c if c.isprintable() else " " for c in reference)[:REFERENCE_LENGTH]


@dataclass(frozen=True)
class Accepted:
    request: OnboardingRequest
    body: Body
    delivery_id: str | None
    event: Any = None
    note: str | None = None
    """Which of several names of the partner is used."""


def read(sender: Sender, delivery: Delivery) -> Ignored | Invalid | Accepted:
    """Return what a proven delivery asks for."""
    id_: str | None = None
    body: Body = {}
    event: Any = None
    try:
        event = _event_of(delivery)
        id_ = _delivery_id(sender.delivery_id, delivery, event)
        if not _counts(sender, event):
            return Ignored(event)
        body, faults, note = _mapped(sender, event)
        return Accepted(_request_of(sender, body, faults, event), body, id_, event, note)
    except RecursionError:
        return Invalid(MalformedBodyError("The event is nested too deeply."), body, id_)
    except (MalformedBodyError, InvalidValuesError) as error:
        return Invalid(error, body, id_, event)


def _event_of(delivery: Delivery) -> Any:
    try:
        text = text_of(delivery.body, "body")
        # Not strict: templates put a ticket's line breaks into strings as they are.
        event = json.loads(text, strict=False)
    except (ValueError, UndecodableError, RecursionError):
        raise MalformedBodyError(_not_json(delivery)) from None
    _require_bounds(event)
    return event


def _require_bounds(event: Any) -> None:
    """Refuse what would take long to walk through, before anything does.

    Raise MalformedBodyError.
    """
    count, level = 0, [event]
    for _ in range(_DEEPEST):
        count += len(level)
        if count > _MOST_VALUES:
            raise MalformedBodyError(f"The event holds more than {_MOST_VALUES} values.")
        if any(isinstance(one, str) and len(one) > _LONGEST_TEXT for one in level):
            text = f"The event holds a text of more than {_LONGEST_TEXT} characters."
            raise MalformedBodyError(text)
        level = [part for one in level for part in _parts_of(one)]
        if not level:
            return
    raise MalformedBodyError("The event is nested too deeply.")


def _parts_of(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return chain(value, value.values())
    return value if isinstance(value, list) else ()


_PAIRS = re.compile(rb"[A-Za-z0-9_.%+\[\]-]{1,200}=[^\s{}<>]*")
_CHOOSE_JSON = (
    "Choose JSON in the system that sends it: its content type (GitHub, GitLab), request format"
    " (Zendesk), encoding (Freshdesk, Freshservice) or header Content-Type must be"
    " application/json."
)


def _not_json(delivery: Delivery) -> str:
    """Say what it is in place of JSON, and what to choose in the system."""
    declared = delivery.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = delivery.body[:_LOOKED_AT].lstrip()
    if not body:
        return "The body is empty: let the system send one, as JSON."
    if body.startswith(b"--") or declared == "multipart/form-data":
        what = "a form with parts (multipart/form-data)"
    elif body.startswith(b"<"):
        what = "XML or HTML"
    elif not body.startswith((b"{", b"[")) and (
        declared == "application/x-www-form-urlencoded" or _PAIRS.match(body)
    ):
        what = "a form (application/x-www-form-urlencoded)"
    else:
        return f"The body is not JSON in UTF-8 that can be read{_json_place(delivery.body)}."
    return f"The body is not JSON, it is {what}. {_CHOOSE_JSON}"


def _json_place(body: bytes) -> str:
    """Say where JSON goes wrong. An unfilled or unquoted placeholder is most often why."""
    try:
        json.loads(text_of(body, "body"), strict=False)
    except json.JSONDecodeError as error:
        return f": line {error.lineno}, column {error.colno}: {error.msg}"
    except UndecodableError as error:
        return f": {str(error).rstrip('.')}"
    except (ValueError, RecursionError):
        return ": it is nested too deeply"
    return ""


def _delivery_id(declared: DeliveryId | None, delivery: Delivery, event: Any) -> str | None:
    if declared is None:
        return None
    if declared.path is None:
        sent = (delivery.headers.get(name, "").strip() for name in declared.headers)
        return _unless_blank(next(filter(None, sent), ""))
    try:
        found = _plain(evaluate(declared.path, event))
    except ExpressionError as error:
        raise _invalid(f"The delivery's id can't be determined: {error}.") from None
    return _unless_blank(found)


def _unless_blank(found: Any) -> str | None:
    """Leave a word for nothing out: it would make one of all deliveries that have none."""
    return found if isinstance(found, str) and not is_blank(found) else None


def _counts(sender: Sender, event: Any) -> bool:
    """Whether a value is true in JMESPath: nothing, false and what is empty are not."""
    if sender.counts is None:
        return True
    try:
        return bool(evaluate(f"!!({sender.counts})", event))
    except ExpressionError as error:
        raise _invalid(f"Whether the event counts can't be determined: {error}.") from None


def _mapped(sender: Sender, event: Any) -> tuple[Body, list[Fault], str | None]:
    body: Body = dict(sender.defaults)
    faults: list[Fault] = []
    notes: list[str] = []
    for name, template in sender.request.items():
        try:
            value = _filled(template, event)
        except ExpressionError as error:
            faults.append(Fault(pointer=f"/{name}", detail=f"It can't be read: {error}."))
            continue
        if name == "identitySources" and isinstance(value, list):
            value = _without_blanks([_typed(one, notes) for one in value])
        if not is_blank(value):
            body[name] = value
    return body, faults, next(iter(notes), None)


def _filled(template: Any, event: Any) -> Any:
    if isinstance(template, dict):
        return _without_blanks({name: _filled(part, event) for name, part in template.items()})
    if isinstance(template, list):
        return _without_blanks([_filled(part, event) for part in template])
    return _plain(evaluate(template, event))


def _plain(value: Any) -> Any:
    """Make text of everything that is one value, and leave out what is missing."""
    if isinstance(value, dict):
        return _without_blanks({name: _plain(part) for name, part in value.items()})
    if isinstance(value, list):
        return _without_blanks([_plain(part) for part in value])
    if value is None:
        return None
    text = without_entities(value) if isinstance(value, str) else json.dumps(value)
    # JSON can hold half a character, which nothing behind us can write.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()


def _without_blanks(parts: Any) -> Any:
    if isinstance(parts, dict):
        return {name: part for name, part in parts.items() if not is_blank(part)}
    return [part for part in parts if not is_blank(part)]


def _typed(source: Any, notes: list[str]) -> Any:
    """Say an identity source's type by what it names, where the mapping does not.

    Blank if it names nothing.
    """
    if not isinstance(source, dict) or "@odata.type" in source:
        return source
    read = typed(source)
    if read is None:
        return None
    asked, unused = read
    kind = next(k for k in SOURCE_KINDS.values() if k.odata_type == asked["@odata.type"])
    note = note_of_unused(kind.wire_name, {name: str(source[name]) for name in unused})
    notes += [note] if note else []
    return asked


def _request_of(sender: Sender, body: Body, faults: list[Fault], event: Any) -> OnboardingRequest:
    """Raise InvalidValuesError with every fault."""
    unread = {fault.pointer for fault in faults}
    try:
        request = ask_fields(OnboardingRequest, {**dict.fromkeys(USUAL), **body})
    except InvalidValuesError as error:
        told = [fault for fault in error.faults if fault.pointer not in unread]
        faults += [_with_finding(sender, fault, event) for fault in told]
    else:
        faults += _forbidden_type(sender, request)
    if faults:
        raise InvalidValuesError(tuple(faults))
    return request


def _with_finding(sender: Sender, fault: Fault, event: Any) -> Fault:
    """Say of a fault which expression of the mapping it came of, and what that found.

    But for the address of a callback, which is a secret.
    """
    found = [
        explained(expression, event)
        for place, expression in leaves_of(sender.request)
        if _is_about(place, fault.pointer) and place != "/callbackUrl"
    ]
    if not found:
        return fault
    return fault.model_copy(
        update={"detail": f"{fault.detail} {'; '.join(found[:_MOST_FINDINGS])}."}
    )


def _is_about(place: str, pointer: str) -> bool:
    """Whether a place of the mapping fills a place of the request, or a part of it."""
    names_it = not place.endswith("/displayName") or place in {"/displayName", pointer}
    within = place == pointer or place.startswith(f"{pointer}/") or pointer.startswith(f"{place}/")
    return bool(pointer) and within and names_it


def findings(sender: Sender, event: Any) -> list[dict[str, str]]:
    """Return where the value of each expression of the mapping goes, and what it found."""
    return [
        {"field": place, "found": explained(expression, event)}
        for place, expression in leaves_of(sender.request)
    ]


def why_not(sender: Sender, event: Any) -> list[Mapping[str, Any]]:
    """Return whether an event meets each condition, and what it holds there."""
    return [*_conditions(sender.counts or "", event)]


def _conditions(condition: str, event: Any) -> Iterator[Mapping[str, Any]]:
    for part in conditions_of(condition):
        try:
            holds = bool(evaluate(f"!!({part})", event))
        except ExpressionError as error:
            yield {"condition": part, "holds": False, "found": [str(error)]}
            continue
        yield {
            "condition": part,
            "holds": holds,
            "found": [explained(path, event) for path in paths_in(part)],
        }


def _forbidden_type(sender: Sender, request: OnboardingRequest) -> list[Fault]:
    asked = source_type(request.identity_source)
    allowed = sender.identity_source_types
    if allowed is None or asked in allowed:
        return []
    detail = f"This sender may ask for {', '.join(allowed)}, not for {asked}."
    return [Fault(pointer="/identitySources/0/@odata.type", detail=detail)]


def _invalid(detail: str) -> InvalidValuesError:
    return InvalidValuesError((Fault(pointer="", detail=detail),))
