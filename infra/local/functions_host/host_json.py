"""host.json, with the defaults of the Functions host and its queue extension."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from infra.local.functions_host.definition import HostInErrorError

OVERRIDE = "azurefunctionsjobhost__"
COMMENT_OR_TEXT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')
TIME_SPAN = re.compile(r"(-?)(?:(\d+)\.)?(\d+):(\d{1,2})(?::(\d{1,2})(\.\d{1,7})?)?")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
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
DAY = 24 * 3600
CONSUMPTION_SECONDS = 600
NO_LIMIT = -1
HOURS, MINUTES = 24, 60


class _Section:
    """A part of host.json. Names are found ignoring case; unknown ones are never asked for.

    As .NET's configuration has it, a value where a section should be is no section: the
    defaults count.
    """

    def __init__(self, values: Any, path: str = "") -> None:
        self._given: Mapping[str, Any] = values if isinstance(values, Mapping) else {}
        self._values = {name.lower(): value for name, value in self._given.items()}
        self._path = path

    def section(self, name: str) -> "_Section":
        return _Section(self._values.get(name.lower()), self._name(name))

    def items(self) -> dict[str, str]:
        """What is in it, as text."""
        return {name: _text(value) for name, value in self._given.items()}

    def has(self, name: str) -> bool:
        """Whether there is a value: a list or an object is none."""
        return name.lower() in self._values and not isinstance(
            self._values[name.lower()], list | dict
        )

    def text(self, name: str, default: str) -> str:
        return _text(self._values[name.lower()]) if self.has(name) else default

    def choice(self, name: str, default: str, *, choices: Mapping[str, str]) -> str:
        value = self.text(name, default)
        if value.lower() not in choices:
            raise self._fault(name, value, f"one of {', '.join(choices)}")
        return choices[value.lower()]

    def number(
        self, name: str, default: int, *, least: int | None = None, most: int | None = None
    ) -> int:
        value = self.text(name, str(default))
        if not re.fullmatch(r"[+-]?\d+", value):
            raise self._fault(name, value, "a number")
        number = int(value)
        if (least is not None and number < least) or (most is not None and number > most):
            raise self._fault(
                name, value, f"a number from {least}" + (f" to {most}" if most else "")
            )
        return number

    def seconds(self, name: str, default: str, *, least: float | None = None) -> float:
        value = self.text(name, default)
        total = time_span(value)
        if total is None:
            raise self._fault(name, value, "a time span such as 00:05:00")
        if least is not None and total < least:
            raise self._fault(name, value, f"{least} s or longer")
        return total

    def _name(self, name: str) -> str:
        return f"{self._path}.{name}".lstrip(".")

    def _fault(self, name: str, value: str, wanted: str) -> HostInErrorError:
        return HostInErrorError(f"host.json: {self._name(name)} is '{value}'; it must be {wanted}.")


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
    def read(cls, section: _Section, processors: int) -> Self:
        batch_size = section.number("batchSize", 16, least=1, most=LARGEST_BATCH)
        encodings = {"base64": "base64", "none": "none"}
        return cls(
            batch_size=batch_size,
            new_batch_threshold=section.number(
                "newBatchThreshold", batch_size // 2 * processors, least=0
            ),
            max_dequeue_count=section.number("maxDequeueCount", 5, least=1),
            visibility_timeout=section.seconds("visibilityTimeout", "00:00:00"),
            max_polling_interval=section.seconds(
                "maxPollingInterval", "00:01:00", least=SHORTEST_POLLING_SECONDS
            ),
            is_base64=section.choice("messageEncoding", "base64", choices=encodings) == "base64",
        )


@dataclass(frozen=True)
class HttpOptions:
    """Extension "http". A limit of None is none.

    With a limit that is no limit every function answers 500 (`is_throttle_broken`), with a wrong
    header every page (`are_headers_broken`).
    """

    route_prefix: str = "api"
    most_concurrent: int | None = None
    most_outstanding: int | None = None
    custom_headers: Mapping[str, str] = field(default_factory=dict)
    is_throttle_broken: bool = False
    are_headers_broken: bool = False

    @classmethod
    def read(cls, section: _Section) -> Self:
        limits = [
            section.number(name, NO_LIMIT)
            for name in ("maxConcurrentRequests", "maxOutstandingRequests")
        ]
        section.choice(
            "dynamicThrottlesEnabled", "false", choices={"true": "true", "false": "false"}
        )
        concurrent, outstanding = (limit if limit > 0 else None for limit in limits)
        headers = section.section("customHeaders").items()
        return cls(
            route_prefix=section.text("routePrefix", "api"),
            most_concurrent=concurrent,
            most_outstanding=outstanding,
            custom_headers=headers,
            is_throttle_broken=any(limit < 1 and limit != NO_LIMIT for limit in limits),
            are_headers_broken=not all(map(HEADER_NAME.fullmatch, headers))
            or _is_hsts_broken(section.section("hsts")),
        )


@dataclass(frozen=True)
class HostOptions:
    """`function_timeout` is in seconds, None for no limit; `log_level` is a name of `logging`.

    `functions` names the only functions to load, where host.json lists them.
    """

    function_timeout: float | None
    log_level: str
    http: HttpOptions
    queues: QueueOptions
    functions: frozenset[str] | None = None


def read_host_json(app: Path, environment: Mapping[str, str] = os.environ) -> HostOptions:
    """The app's host.json, with the settings AzureFunctionsJobHost__a__b laid over it.

    Raise HostInErrorError for what the real host refuses too.
    """
    file = app / "host.json"
    if not file.exists():
        raise HostInErrorError(f"{file} is missing.")
    return parse_host_json(file.read_text("utf-8-sig"), environment)


def parse_host_json(text: str, environment: Mapping[str, str]) -> HostOptions:
    """The options in a host.json with this text: comments and trailing commas are fine."""
    try:
        plain = COMMENT_OR_TEXT.sub(lambda match: match[1] or "", text)
        values = json.loads(TRAILING_COMMA.sub(lambda match: match[1] or "", plain))
    except ValueError as fault:
        raise HostInErrorError(f"host.json is not JSON: {fault}") from None
    if not isinstance(values, dict):
        raise HostInErrorError("host.json must be an object.")
    for name, value in environment.items():
        if name.lower().startswith(OVERRIDE):
            _lay_over(values, name.split("__")[1:], value)
    if values.get("version") != "2.0":
        raise HostInErrorError(
            f"host.json: version is {values.get('version')!r}; it must be '2.0'."
        )
    return _options(values, environment)


def _options(values: dict[str, Any], environment: Mapping[str, str]) -> HostOptions:
    root = _Section(values)
    is_dynamic = environment.get("WEBSITE_SKU") == "Dynamic"
    extensions = root.section("extensions")
    functions = values.get("functions")
    return HostOptions(
        function_timeout=_function_timeout(root, is_dynamic=is_dynamic),
        log_level=root.section("logging")
        .section("logLevel")
        .choice("default", "Information", choices=LOG_LEVELS),
        http=HttpOptions.read(extensions.section("http")),
        queues=QueueOptions.read(
            extensions.section("queues"), 1 if is_dynamic else os.process_cpu_count() or 1
        ),
        functions=frozenset(functions) if isinstance(functions, list) else None,
    )


def _function_timeout(root: _Section, *, is_dynamic: bool) -> float | None:
    text = root.text("functionTimeout", "")
    default = "00:05:00" if is_dynamic else "00:30:00"
    if text == "-1" and not is_dynamic:
        return None
    seconds = root.seconds("functionTimeout", default, least=1) if text else time_span(default)
    if is_dynamic and seconds and seconds > CONSUMPTION_SECONDS:
        raise HostInErrorError("host.json: functionTimeout is over the 10 minutes of this plan.")
    return seconds


def time_span(text: str) -> float | None:
    """The seconds of a .NET TimeSpan: a bare number means days, and so do hours beyond a day.

    None for a text that is none.
    """
    if re.fullmatch(r"-?\d+", text):
        return float(int(text) * DAY)
    match = TIME_SPAN.fullmatch(text)
    if not match:
        return None
    sign, *parts, fraction = match.groups()
    days, first, second, third = (int(part or 0) for part in parts)
    if parts[0] is None and first >= HOURS and parts[3] is not None and not fraction:
        days, first, second, third = first, second, third, 0
    if first >= HOURS or second >= MINUTES or third >= MINUTES:
        return None
    total = days * DAY + first * 3600 + second * 60 + third + float(fraction or 0)
    return -total if sign else total


def _is_hsts_broken(section: _Section) -> bool:
    age = section.text("maxAge", "")
    enabled = section.text("isEnabled", "false").lower()
    return enabled not in {"true", "false"} or (bool(age) and time_span(age) is None)


def _text(value: Any) -> str:
    """As .NET's configuration has a value of JSON."""
    if value is None:
        return ""
    return str(value) if not isinstance(value, bool) else str(value).lower()


def _lay_over(values: dict[str, Any], path: list[str], value: str) -> None:
    """Set the value at the path, whose names are matched ignoring case."""
    name, *rest = path
    name = next((known for known in values if known.lower() == name.lower()), name)
    if rest:
        _lay_over(values.setdefault(name, {}), rest, value)
    else:
        values[name] = value
