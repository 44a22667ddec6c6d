"""What becomes of events, for tests of mappings and profiles."""

import json
from typing import Any

from connorg.contract.requests import OnboardingRequest
from connorg.webhooks.mapping import Accepted, Invalid, read
from connorg.webhooks.proof import Delivery
from connorg.webhooks.senders import Sender
from tests.senders import DOCUMENTED


def source(declared: str = "servicenow", **changes: Any) -> Sender:
    """A documented source, with changes."""
    return Sender.model_validate({**DOCUMENTED[declared], **changes})


def wanted(sender: Sender, event: Any, **headers: str) -> OnboardingRequest:
    reading = read(sender, delivery(event, **headers))
    assert isinstance(reading, Accepted), reading
    return reading.request


def refused(sender: Sender, event: Any, **headers: str) -> Invalid:
    reading = read(sender, delivery(event, **headers))
    assert isinstance(reading, Invalid), reading
    return reading


def faults(sender: Sender, event: Any) -> dict[str, str]:
    return {fault.pointer: fault.detail for fault in refused(sender, event).faults or ()}


def delivery(event: Any, **headers: str) -> Delivery:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return Delivery({name.replace("_", "-"): value for name, value in headers.items()}, body)
