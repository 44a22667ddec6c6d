"""What a request brings: its body and its query parameters, checked."""

import re
from enum import StrEnum
from typing import Any

import azure.functions as func
from pydantic import TypeAdapter, ValidationError

from connorg.contract.faults import faults_of
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.contract.requests import LARGEST_BODY

_DEFAULT_PAGE, _LARGEST_PAGE = 50, 100
_NUMBER = re.compile("[1-9][0-9]{0,2}")


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


def flag_of(req: func.HttpRequest, name: str, *, default: bool = False) -> bool:
    text: str | None = req.params.get(name)
    if text is None:
        return default
    if text.lower() not in {"true", "false"}:
        raise ProblemError(ProblemKind.INVALID_PARAMETER, f"{name} must be true or false.")
    return text.lower() == "true"


def text_of(req: func.HttpRequest, name: str, kind: Any) -> str | None:
    """Read a parameter that is a text of a kind that the contract knows."""
    text: str | None = req.params.get(name)
    if text is None:
        return None
    try:
        return str(TypeAdapter(kind).validate_python(text))
    except ValidationError as error:
        raise ProblemError(
            ProblemKind.INVALID_PARAMETER, f"{name}: {faults_of(error)[0].detail}"
        ) from None


def choice_of[Choice: StrEnum](
    req: func.HttpRequest, name: str, choices: type[Choice]
) -> Choice | None:
    text = req.params.get(name)
    if text is None:
        return None
    by_name = {choice.value.lower(): choice for choice in choices}
    if text.lower() not in by_name:
        known = ", ".join(choices)
        raise ProblemError(ProblemKind.INVALID_PARAMETER, f"{name} must be one of {known}.")
    return by_name[text.lower()]


def top_of(req: func.HttpRequest) -> int:
    text = req.params.get("top")
    if text is None:
        return _DEFAULT_PAGE
    if not _NUMBER.fullmatch(text) or int(text) > _LARGEST_PAGE:
        raise ProblemError(
            ProblemKind.INVALID_PARAMETER, f"top must be a number from 1 to {_LARGEST_PAGE}."
        )
    return int(text)
