"""One rule for the Idempotency-Key, whichever way it comes in."""

import json
from typing import Any

import azure.functions as func
import pytest

from connorg.contract.messages import ProducerMessage
from connorg.contract.parsing import InvalidValuesError, parse
from connorg.contract.problems import ProblemError
from connorg.functions.http.headers import IDEMPOTENCY_KEY
from tests.unit.partners import body

SAME = {
    "bare": ("REQ0042", "REQ0042"),
    "quoted": ('"REQ0042"', "REQ0042"),
    "spaces around it": ("  REQ0042 ", "REQ0042"),
    "spaces in quotes": ('" REQ0042"', " REQ0042"),
    "spaces inside": ("REQ 0042", "REQ 0042"),
    "the longest": ("k" * 255, "k" * 255),
    "the longest in quotes": (f'"{"k" * 255}"', "k" * 255),
    "letters of any script": ("Müller", "Müller"),
}
REFUSED = {
    "nothing": "",
    "spaces": "   ",
    "empty quotes": '""',
    "one quote": '"REQ0042',
    "quotes inside": 'REQ"0042',
    "too long": "k" * 256,
    "a line break": "REQ\n0042",
    "a control character": "REQ\x070042",
}


def by_header(text: str) -> str | None:
    headers = {"idempotency-key": text}
    return IDEMPOTENCY_KEY.of(func.HttpRequest("POST", "/", headers=headers, body=b""))


def by_message(text: str) -> str | None:
    message: dict[str, Any] = {**body(), "idempotencyKey": text}
    return parse(ProducerMessage, json.dumps(message)).idempotency_key


@pytest.mark.parametrize(("text", "key"), SAME.values(), ids=SAME)
def test_a_key_is_the_same_in_a_header_and_in_a_message(text: str, key: str) -> None:
    assert by_header(text) == by_message(text) == key


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_no_key_is_refused_in_both_with_the_same_words(text: str) -> None:
    with pytest.raises(ProblemError) as header:
        by_header(text)
    with pytest.raises(InvalidValuesError) as message:
        by_message(text)
    [fault] = message.value.faults
    assert fault.pointer == "/idempotencyKey"
    assert (
        header.value.problem.detail
        == f"Idempotency-Key {fault.detail[0].lower()}{fault.detail[1:]}"
    )
