"""Pydantic's errors as sentences for the caller, each with a JSON pointer to its place."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connorg.contract.identity_sources import SOURCE_KINDS, SOURCE_TYPES, source_type
from connorg.contract.model import Model

_MOST_FAULTS = 100
_LONGEST_NAME = 64  # characters of an unknown field's name that an answer repeats


class Fault(Model):
    """One thing wrong with a body. `pointer` is an RFC 6901 JSON pointer."""

    pointer: str
    detail: str
    rule: str | None = None
    """The rule of the policy that the value breaks; None: the value is invalid."""


class RowFault(Fault):
    """One thing wrong with a row of a file. `pointer` points into the body that the row became."""

    row: int
    """As a person counts: a spreadsheet's row, with the header as 1; an element; a line."""
    column: str | None = None
    """The column's header as in the file; None where the file has no columns."""


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    details = error.errors(include_url=False)
    faults = [Fault(pointer=_pointer(d), detail=_sentence(d)) for d in details[:_MOST_FAULTS]]
    if left_out := len(details) - len(faults):
        faults.append(Fault(pointer="", detail=f"There are {left_out} more faults."))
    return tuple(faults)


def _pointer(detail: ErrorDetails) -> str:
    steps = [*detail["loc"]]
    # Pydantic names the chosen member of a union behind the index; the body has no such step.
    steps = [s for i, s in enumerate(steps) if not (s in SOURCE_TYPES and _is_index(steps, i - 1))]
    if detail["type"].startswith("union_tag"):
        steps.append("@odata.type")
    return "".join(f"/{_escaped(str(step))}" for step in steps)


def _is_index(steps: list[int | str], i: int) -> bool:
    return i >= 0 and isinstance(steps[i], int)


def _escaped(step: str) -> str:
    return step[:_LONGEST_NAME].replace("~", "~0").replace("/", "~1")


def _sentence(detail: ErrorDetails) -> str:
    sentence = _SENTENCES.get(detail["type"])
    return sentence(detail) if sentence else f"{detail['msg']}."


def _of_context(text: str) -> Callable[[ErrorDetails], str]:
    return lambda detail: text.format_map(detail.get("ctx", {}))


def _unknown_field(detail: ErrorDetails) -> str:
    return f"'{str(detail['loc'][-1])[:_LONGEST_NAME]}' is not a known field; remove it."


def _unknown_source(detail: ErrorDetails) -> str:
    known = ", ".join(kind.odata_type for kind in SOURCE_KINDS.values())
    if source_type(detail["input"]) == "socialIdentitySource":
        return f"A social identity source is created by Microsoft, not on request; use {known}."
    return f"Must name the type of the identity source, one of {known}."


def _own_sentence(detail: ErrorDetails) -> str:
    """Our validators raise ValueError("must be …"): the sentence without its subject."""
    context: Mapping[str, Any] = detail.get("ctx", {})
    text = str(context.get("error", detail["msg"]))
    return f"{text[0].upper()}{text[1:]}."


_SENTENCES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "missing": _of_context("Is required."),
    "extra_forbidden": _unknown_field,
    "string_type": _of_context("Must be a string."),
    # As of JSON text, where it was read before.
    "tuple_type": _of_context("Input should be a valid array."),
    "string_too_long": _of_context("Must have at most {max_length} characters."),
    "literal_error": _of_context("Must be {expected}."),
    "enum": _of_context("Must be {expected}."),
    "model_type": _of_context("Must be an object."),
    "model_attributes_type": _of_context("Must be an object."),
    "union_tag_not_found": _unknown_source,
    "union_tag_invalid": _unknown_source,
    "value_error": _own_sentence,
}
