"""What a queue function is given for a message (queue extension, trigger metadata)."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.local.functions_host.worker import Call, Json

Metadata = dict[str, str | Json]

WHITE_SPACE = re.compile(r"[ \t\r\n]")
# What Json.NET reads as a date when it finds it in a string.
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:?\d\d)?")
DATE_AS_TEXT = "%m/%d/%Y %H:%M:%S"


class UndecodableError(Exception):
    """The text of a message is not Base64, though messageEncoding says so."""


@dataclass(frozen=True)
class Received:
    """A message as it is in the queue: `text` is not decoded."""

    id: str
    text: str
    pop_receipt: str
    dequeue_count: int
    inserted_on: datetime
    expires_on: datetime
    next_visible_on: datetime


def decode(text: str, *, is_base64: bool) -> bytes:
    """The content of a message with this text. Raise UndecodableError."""
    if not is_base64:
        return text.encode()
    try:
        return base64.b64decode(WHITE_SPACE.sub("", text), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise UndecodableError(str(fault)) from None


def call(message: Received, content: str) -> Call:
    """The invocation for a message: its content, and its metadata as far as it keeps its own.

    The host lays each top-level property of a JSON object over the metadata of the same name,
    ignoring case, except for null and arrays. The worker then makes the message from that, so a
    property `id` becomes the id of the message, and a date where it expects a date makes the try
    fail: Json.NET turns it into a form that the worker does not read.
    """
    metadata = _metadata(message, content)
    names = {name.lower(): name for name in metadata}
    for name, value in _properties(content).items():
        metadata[names.setdefault(name.lower(), name)] = value
    return Call(content, metadata)


def _metadata(message: Received, content: str) -> Metadata:
    return {
        "QueueTrigger": content,
        "DequeueCount": Json(str(message.dequeue_count)),
        "ExpirationTime": _json_date(message.expires_on),
        "Id": message.id,
        "InsertionTime": _json_date(message.inserted_on),
        "NextVisibleTime": _json_date(message.next_visible_on),
        "PopReceipt": message.pop_receipt,
    }


def _json_date(moment: datetime) -> Json:
    return Json(json.dumps(moment.astimezone(UTC).isoformat()))


def _properties(content: str) -> Metadata:
    try:
        parsed = json.loads(content)
    except ValueError:
        return {}
    if not isinstance(parsed, dict):
        return {}
    read = {name: _property(value) for name, value in parsed.items()}
    return {name: value for name, value in read.items() if value is not None}


def _property(value: Any) -> str | Json | None:
    match value:
        case None | list():
            return None
        case dict():
            return Json(json.dumps(value))
        case str() if DATE.fullmatch(value):
            return _as_json_net_writes(value)
        case _:
            return str(value)


def _as_json_net_writes(date: str) -> str:
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return date
    return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime(DATE_AS_TEXT)
