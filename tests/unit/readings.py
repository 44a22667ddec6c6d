"""What becomes of events, for tests of mappings and profiles."""

import json
from typing import Any

from connorg.contract.requests import OnboardingRequest
from connorg.webhooks.mapping import Refused, Wanted, read
from connorg.webhooks.proof import Delivery
from connorg.webhooks.sources import Source
from tests.senders import DOCUMENTED


def source(declared: str = "servicenow", **changes: Any) -> Source:
    """A documented source, with changes."""
    return Source.model_validate({**DOCUMENTED[declared], **changes})


def wanted(source: Source, event: Any, **headers: str) -> OnboardingRequest:
    reading = read(source, delivery(event, **headers))
    assert isinstance(reading, Wanted), reading
    return reading.request


def refused(source: Source, event: Any, **headers: str) -> Refused:
    reading = read(source, delivery(event, **headers))
    assert isinstance(reading, Refused), reading
    return reading


def faults(source: Source, event: Any) -> dict[str, str]:
    return {fault.pointer: fault.detail for fault in refused(source, event).faults or ()}


def delivery(event: Any, **headers: str) -> Delivery:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return Delivery({name.replace("_", "-"): value for name, value in headers.items()}, body)
