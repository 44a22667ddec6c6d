"""host.json, with the defaults of the Functions host and its queue extension."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from infra.local.functions_host.definition import CannotStartError

OVERRIDE = "azurefunctionsjobhost__"
TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2}(?:\.\d{1,7})?))?")
LOG_LEVELS = {
    "trace": "DEBUG",
    "debug": "DEBUG",
    "information": "INFO",
    "warning": "WARNING",
    "error": "ERROR",
    "critical": "CRITICAL",
    "none": "CRITICAL",
}
LARGEST_BATCH = 32
SHORTEST_POLLING_SECONDS = 0.1


class _Section:
    """A part of host.json. Names are found ignoring case; unknown ones are never asked for."""

    def __init__(self, values: Any, path: str = "") -> None:
        if not isinstance(values, Mapping):
            raise CannotStartError(f"host.json: {path or 'it'} must be an object.")
        self._values = {name.lower(): value for name, value in values.items()}
        self._path = path

    def section(self, name: str) -> "_Section":
        value = self._values.get(name.lower())
        return _Section({} if value is None else value, self._name(name))

    def text(self, name: str, default: str) -> str:
        value = self._values.get(name.lower())
        return default if value is None else str(value)

    def choice(self, name: str, default: str, *, choices: Mapping[str, str]) -> str:
        value = self.text(name, default)
        if value.lower() not in choices:
            raise self._fault(name, value, f"one of {', '.join(choices)}")
        return choices[value.lower()]

    def number(self, name: str, default: int, *, least: int, most: int | None = None) -> int:
        value = self.text(name, str(default))
        if value.isdecimal() and least <= int(value) and (most is None or int(value) <= most):
            return int(value)
        raise self._fault(name, value, f"a number from {least}" + (f" to {most}" if most else ""))

    def seconds(self, name: str, default: str, *, least: float = 0) -> float:
        value = self.text(name, default)
        match = TIME_SPAN.fullmatch(value)
        if not match:
            raise self._fault(name, value, "a time span such as 00:05:00")
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        if total < least:
            raise self._fault(name, value, f"{least} s or longer")
        return total

    def _name(self, name: str) -> str:
        return f"{self._path}.{name}".lstrip(".")

    def _fault(self, name: str, value: str, wanted: str) -> CannotStartError:
        return CannotStartError(f"host.json: {self._name(name)} is '{value}'; it must be {wanted}.")


@dataclass(frozen=True)
class QueueOptions:
    """Extension "queues". Times in seconds."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: float = 0
    max_polling_interval: float = 60
    is_base64: bool = True

    @classmethod
    def read(cls, section: _Section) -> Self:
        """Differs: newBatchThreshold is not multiplied by the number of processors."""
        batch_size = section.number("batchSize", 16, least=1, most=LARGEST_BATCH)
        encodings = {"base64": "base64", "none": "none"}
        return cls(
            batch_size=batch_size,
            new_batch_threshold=section.number("newBatchThreshold", batch_size // 2, least=0),
            max_dequeue_count=section.number("maxDequeueCount", 5, least=1),
            visibility_timeout=section.seconds("visibilityTimeout", "00:00:00"),
            max_polling_interval=section.seconds(
                "maxPollingInterval", "00:01:00", least=SHORTEST_POLLING_SECONDS
            ),
            is_base64=section.choice("messageEncoding", "base64", choices=encodings) == "base64",
        )


@dataclass(frozen=True)
class HostOptions:
    """`function_timeout` is in seconds, None for no limit; `log_level` is a name of `logging`."""

    function_timeout: float | None
    log_level: str
    route_prefix: str
    queues: QueueOptions


def read_host_json(app: Path, environment: Mapping[str, str] = os.environ) -> HostOptions:
    """The app's host.json, with the settings AzureFunctionsJobHost__a__b laid over it.

    Raises CannotStartError for what the real host refuses too.
    """
    file = app / "host.json"
    try:
        values = json.loads(file.read_text("utf-8-sig")) if file.exists() else {}
    except ValueError as fault:
        raise CannotStartError(f"{file} is not JSON: {fault}") from None
    for name, value in environment.items():
        if name.lower().startswith(OVERRIDE):
            _lay_over(values, name.split("__")[1:], value)
    return _options(_Section(values))


def _options(root: _Section) -> HostOptions:
    extensions = root.section("extensions")
    unlimited = root.text("functionTimeout", "") == "-1"
    return HostOptions(
        function_timeout=None
        if unlimited
        else root.seconds("functionTimeout", "00:30:00", least=1),
        log_level=root.section("logging")
        .section("logLevel")
        .choice("default", "Information", choices=LOG_LEVELS),
        route_prefix=extensions.section("http").text("routePrefix", "api").strip("/"),
        queues=QueueOptions.read(extensions.section("queues")),
    )


def _lay_over(values: dict[str, Any], path: list[str], value: str) -> None:
    """Set the value at the path, whose names are matched ignoring case."""
    name, *rest = path
    name = next((known for known in values if known.lower() == name.lower()), name)
    if rest:
        _lay_over(values.setdefault(name, {}), rest, value)
    else:
        values[name] = value
