"""From a delivery to the request that it asks for.

Administrators type what their systems send. So a value may be a number where we want text, what is
blank stands for a missing value, and there are fields that we never heard of.
"""

import json
from dataclasses import dataclass
from typing import Any

from connorg.contract.asking import USUAL, ask_fields
from connorg.contract.blanks import is_blank
from connorg.contract.faults import Fault
from connorg.contract.identity_sources import NAMING_FIELDS, SOURCE_KINDS, source_type
from connorg.contract.parsing import InvalidValuesError, MalformedBodyError
from connorg.contract.problems import ProblemKind
from connorg.contract.requests import REFERENCE_LENGTH, OnboardingRequest
from connorg.webhooks.expressions import ExpressionError, evaluate
from connorg.webhooks.proof import Delivery
from connorg.webhooks.senders import DeliveryId, Sender

type Body = dict[str, Any]


@dataclass(frozen=True)
class Ignored:
    """The event does not count: it asks for nothing."""


@dataclass(frozen=True)
class Invalid:
    """The event counts, but what it asks for can't be done. `body` is what it was mapped to."""

    error: MalformedBodyError | InvalidValuesError
    body: Body
    delivery_id: str | None

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


def read(sender: Sender, delivery: Delivery) -> Ignored | Invalid | Accepted:
    """Tell what a proven delivery asks for."""
    id_: str | None = None
    body: Body = {}
    try:
        event = _event_of(delivery.body)
        id_ = _delivery_id(sender.delivery_id, delivery, event)
        if not _counts(sender, event):
            return Ignored()
        body, faults = _mapped(sender, event)
        return Accepted(_request_of(sender, body, faults), body, id_)
    except (MalformedBodyError, InvalidValuesError) as error:
        return Invalid(error, body, id_)


def _event_of(body: bytes) -> Any:
    try:
        # Not strict: templates put a ticket's line breaks into strings as they are.
        return json.loads(body.decode("utf-8-sig"), strict=False)
    except (ValueError, RecursionError):
        raise MalformedBodyError("The body is not JSON in UTF-8 that can be read.") from None


def _delivery_id(declared: DeliveryId | None, delivery: Delivery, event: Any) -> str | None:
    if declared is None:
        return None
    if declared.header is not None:
        return _unless_blank(delivery.headers.get(declared.header.lower(), "").strip())
    try:
        found = _plain(evaluate(declared.path or "", event))
    except ExpressionError as error:
        raise _invalid(f"The delivery's id can't be told: {error}.") from None
    return _unless_blank(found)


def _unless_blank(found: Any) -> str | None:
    """Leave a word for nothing out: it would make one of all deliveries that have none."""
    return found if isinstance(found, str) and not is_blank(found) else None


def _counts(sender: Sender, event: Any) -> bool:
    """Tell by JMESPath's notion of truth: nothing, false and what is empty are not true."""
    if sender.counts is None:
        return True
    try:
        return bool(evaluate(f"!!({sender.counts})", event))
    except ExpressionError as error:
        raise _invalid(f"Whether the event counts can't be told: {error}.") from None


def _mapped(sender: Sender, event: Any) -> tuple[Body, list[Fault]]:
    body: Body = dict(sender.defaults)
    faults: list[Fault] = []
    for name, template in sender.request.items():
        try:
            value = _filled(template, event)
        except ExpressionError as error:
            faults.append(Fault(pointer=f"/{name}", detail=f"It can't be read: {error}."))
            continue
        if name == "identitySources" and isinstance(value, list):
            value = _without_blanks([_typed(one) for one in value])
        if not is_blank(value):
            body[name] = value
    return body, faults


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
    text = value if isinstance(value, str) else json.dumps(value)
    # JSON can hold half a character, which nothing behind us can write.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()


def _without_blanks(parts: Any) -> Any:
    if isinstance(parts, dict):
        return {name: part for name, part in parts.items() if not is_blank(part)}
    return [part for part in parts if not is_blank(part)]


def _typed(source: Any) -> Any:
    """Say an identity source's type by what it names, where the mapping does not.

    Blank if it names nothing.
    """
    if not isinstance(source, dict) or "@odata.type" in source:
        return source
    for kind in reversed([*SOURCE_KINDS.values()]):
        if kind.named_by <= source.keys():
            others = NAMING_FIELDS - kind.named_by
            rest = {key: value for key, value in source.items() if key not in others}
            return {"@odata.type": kind.odata_type, **rest}
    return None


def _request_of(sender: Sender, body: Body, faults: list[Fault]) -> OnboardingRequest:
    """Raises InvalidValuesError with every fault."""
    unread = {fault.pointer for fault in faults}
    try:
        request = ask_fields(OnboardingRequest, {**dict.fromkeys(USUAL), **body})
    except InvalidValuesError as error:
        faults += [fault for fault in error.faults if fault.pointer not in unread]
    else:
        faults += _forbidden_type(sender, request)
    if faults:
        raise InvalidValuesError(tuple(faults))
    return request


def _forbidden_type(sender: Sender, request: OnboardingRequest) -> list[Fault]:
    asked = source_type(request.identity_source)
    allowed = sender.identity_source_types
    if allowed is None or asked in allowed:
        return []
    detail = f"This sender may ask for {', '.join(allowed)}, not for {asked}."
    return [Fault(pointer="/identitySources/0/@odata.type", detail=detail)]


def _invalid(detail: str) -> InvalidValuesError:
    return InvalidValuesError((Fault(pointer="", detail=detail),))
