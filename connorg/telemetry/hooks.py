"""What the app reports of its work: the spans of an onboarding's trace, and the counts.

The core calls these hooks and knows no more of telemetry. They need only OpenTelemetry's API:
where nothing is exported (see `export`) they do next to nothing. None of them is ever given a
domain, a display name, a principal name or an address, and none keeps an exception's text.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import perf_counter
from urllib.parse import unquote

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from connorg.contract.messages import OnboardingMessage
from connorg.contract.onboarding import Onboarding, Status
from connorg.telemetry import names
from connorg.telemetry.oldest_waiting import OldestWaiting

_TRACEPARENT = "traceparent"
_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)  # seconds
_FIRST_ERROR = 400  # of HTTP's statuses

_w3c = TraceContextTextMapPropagator()
_tracer = trace.get_tracer(names.SCOPE)
_meter = metrics.get_meter(names.SCOPE)
_accepted = _meter.create_counter(names.ACCEPTED, "{onboarding}")
_concluded = _meter.create_counter(names.CONCLUDED, "{onboarding}")
_attempts = _meter.create_counter(names.ATTEMPTS, "{attempt}")
_throttled = _meter.create_counter(names.GRAPH_THROTTLED, "{answer}")
_blocked = _meter.create_counter(names.GRAPH_BLOCKED, "{answer}")
_poisoned = _meter.create_counter(names.POISONED, "{message}")
_duration = _meter.create_histogram(
    names.GRAPH_DURATION, "s", explicit_bucket_boundaries_advisory=_BUCKETS
)
_messages = _meter.create_gauge(names.WAITING, "{onboarding}")
_waiting = OldestWaiting()
_meter.create_observable_gauge(
    names.OLDEST_WAITING, [lambda _: map(metrics.Observation, _waiting.ages())], "s"
)


@dataclass
class _GraphCall:
    status: int | None = None
    request_id: str | None = None


# Set and never reset: each invocation of a function is a task, with a context of its own.
_onboarding_id: ContextVar[str | None] = ContextVar("onboarding_id", default=None)
_graph_call: ContextVar[_GraphCall | None] = ContextVar("graph_call", default=None)


def onboarding_id() -> str | None:
    """Return which onboarding is being worked at, for the log."""
    return _onboarding_id.get()


def set_onboarding(onboarding_id: str) -> None:
    """Say which onboarding the work is about, from here on."""
    _onboarding_id.set(onboarding_id)
    trace.get_current_span().set_attribute(names.ONBOARDING_ID, onboarding_id)


def traceparent() -> str | None:
    """Return the current trace, as messages carry it; None: there is none."""
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    return carrier.get(_TRACEPARENT)


@contextmanager
def onboard(caller: str | None = None) -> Iterator[None]:
    """Begin an onboarding's trace, or continue the caller's. `caller`: its traceparent."""
    _onboarding_id.set(None)
    # The worker may have continued the caller's trace already, with the host's own span in it.
    is_begun = trace.get_current_span().get_span_context().is_valid
    with _span(names.ONBOARD, parent=None if is_begun else _context_of(caller)):
        yield


@contextmanager
def _carry_on(name: str, message: OnboardingMessage) -> Iterator[None]:
    """Carry on with an onboarding in its own trace, where its message came back."""
    _onboarding_id.set(message.onboarding_id)
    begun = _context_of(message.traceparent)
    with _span(name, SpanKind.CONSUMER, begun, links=_links()):
        yield


resume = partial(_carry_on, names.RESUME)
bury = partial(_carry_on, names.BURY)


@contextmanager
def attempt(begun: Onboarding) -> Iterator[Callable[[Onboarding], None]]:
    """Report an attempt; by what is given, what the onboarding is after it."""
    outcome = "unconcluded"
    with _span(names.ATTEMPT, attributes={names.ATTEMPT_NUMBER: begun.attempts}) as span:

        def tell(concluded: Onboarding) -> None:
            nonlocal outcome
            if concluded.status is Status.SUCCEEDED and concluded.conclusion is not None:
                outcome = concluded.conclusion.value
            else:
                outcome = concluded.status.value.lower()
                code = concluded.last_error.code if concluded.last_error else ""
                span.set_attribute(names.CODE, code)
                span.set_status(StatusCode.ERROR, code)

        try:
            yield tell
        finally:
            span.set_attribute(names.OUTCOME, outcome)
            _attempts.add(1, {names.OUTCOME: outcome})


@contextmanager
def callback(onboarding: Onboarding) -> Iterator[Callable[[int | str], None]]:
    """Report the delivery of a callback; by what is given, what was answered or went wrong."""
    _onboarding_id.set(onboarding.id)
    begun = _context_of(onboarding.traceparent)
    with _span(names.CALLBACK, SpanKind.CLIENT, begun, links=_links()) as span:

        def tell(answer: int | str) -> None:
            if isinstance(answer, int):
                _tell_status(span, answer)
            else:
                span.set_status(StatusCode.ERROR, answer)

        yield tell


@contextmanager
def graph_call(method: str, root: str, template: str | None) -> Iterator[None]:
    """Report a call to Graph. `template`: of its address, whose parameters stay out of it."""
    call = _GraphCall()
    _graph_call.set(call)
    started = perf_counter()
    path = _path(template)
    # Application Insights names a call by the path of its address, whatever its span is named.
    called = {names.HTTP_METHOD: method, names.HTTP_URL: f"{root}{path}"}
    with _span(f"{method} {path}", SpanKind.CLIENT, attributes=called) as span:
        try:
            yield
        finally:
            _tell_status(span, call.status)
            if call.request_id is not None:
                span.set_attribute(names.REQUEST_ID, call.request_id)
            status_class = f"{call.status // 100}xx" if call.status else "none"
            attributes = {names.METHOD: method, names.STATUS_CLASS: status_class}
            _duration.record(perf_counter() - started, attributes)


def graph_answered(status: int, headers: Mapping[str, str]) -> None:
    """Note what Graph answered to the call that is under way."""
    call = _graph_call.get()
    if call is not None:  # Kiota may have put a span of its own before ours
        call.status, call.request_id = status, headers.get("request-id")


def accepted() -> None:
    """Count an onboarding that was opened, or reopened by a replay."""
    _accepted.add(1)


def concluded(onboarding: Onboarding) -> None:
    """Count an onboarding that has ended; one that has not is passed over."""
    if onboarding.status.terminal:
        attributes = {names.STATUS: onboarding.status.value}
        if onboarding.conclusion is not None:
            attributes[names.CONCLUSION] = onboarding.conclusion.value
        _concluded.add(1, attributes)


def put_back(since: datetime, until: datetime) -> None:
    """Note an onboarding that was accepted at one moment and is on the queue until another."""
    _waiting.note(since, until)


def waiting(messages: int) -> None:
    """Return how many messages there are."""
    _messages.set(messages)


def throttled() -> None:
    _throttled.add(1)


def blocked(code: str) -> None:
    _blocked.add(1, {names.CODE: code})


def poisoned(queue: str) -> None:
    _poisoned.add(1, {names.QUEUE: queue})


@contextmanager
def _span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: Context | None = None,
    *,
    links: tuple[Link, ...] = (),
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[Span]:
    """`parent`: None is the span that is current."""
    known = _onboarding_id.get()
    with _tracer.start_as_current_span(
        name,
        parent,
        kind,
        attributes={**(attributes or {}), **({names.ONBOARDING_ID: known} if known else {})},
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except BaseException as error:
            # Its text may name a domain.
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise


arm = partial(_span, names.ARM, SpanKind.PRODUCER)
opening = partial(_span, names.OPEN)
concluding = partial(_span, names.CONCLUDE)


def _context_of(traceparent: str | None) -> Context:
    """Read a traceparent; of one that is none, no trace."""
    return _w3c.extract({_TRACEPARENT: traceparent} if traceparent else {}, Context())


def _links() -> tuple[Link, ...]:
    """Link to the span that is current: the host's, whose trace knows nothing of the message's."""
    here = trace.get_current_span().get_span_context()
    return (Link(here),) if here.is_valid else ()


def _tell_status(span: Span, status: int | None) -> None:
    if status is not None:
        span.set_attribute(names.HTTP_STATUS, status)
    if status is None or status >= _FIRST_ERROR:
        span.set_status(StatusCode.ERROR, "no answer" if status is None else str(status))


def _path(template: str | None) -> str:
    """Shorten what Kiota builds addresses from: no root, no query. None: it was given one whole."""
    return unquote((template or "/").removeprefix("{+baseurl}").partition("{?")[0])
