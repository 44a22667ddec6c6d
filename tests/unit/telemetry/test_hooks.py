"""Telemetry without a collector: off it costs nothing, and what it may not tell."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from connorg.telemetry import hooks as telemetry
from connorg.telemetry import names
from connorg.telemetry.export.records import LogHandler, OwnSpans
from connorg.telemetry.oldest_waiting import OldestWaiting
from connorg.telemetry.target import TelemetryTarget
from connorg.telemetry.unexpected import UnexpectedError
from infra.local.child import ROOT

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EXPORTERS = ("opentelemetry.sdk", "opentelemetry.exporter", "azure.monitor", "google.protobuf")
INSIGHTS = "InstrumentationKey=00000000-0000-0000-0000-000000000000"
NOWHERE = "http://127.0.0.1:9"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def run(code: str, **settings: str) -> str:
    """Run code in a process of its own, with the settings of an app; what it prints."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**known, "AzureWebJobsStorage": "UseDevelopmentStorage=true", **settings},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


START = """
import asyncio, os, sys
import function_app
from connorg.wiring import services
async def main(): services()
asyncio.run(main())
print(*sys.modules)
print(*(function.get_function_name() for function in function_app.app.get_functions()), flush=True)
os._exit(0)  # at once: nothing that was to be exported is waited for
"""


def exporters_imported(**settings: str) -> set[str]:
    modules = run(START, **settings).splitlines()[0].split()
    return {name for name in EXPORTERS if any(m.startswith(name) for m in modules)}


def test_where_nothing_is_exported_neither_sdk_nor_exporter_is_imported() -> None:
    assert exporters_imported() == set()
    assert exporters_imported(OTEL_EXPORTER_OTLP_ENDPOINT="  ") == set()


@pytest.mark.slow
def test_only_the_exporter_that_is_asked_for_is_imported() -> None:
    assert "azure.monitor" not in exporters_imported(OTEL_EXPORTER_OTLP_ENDPOINT=NOWHERE)
    insights = f"{INSIGHTS};IngestionEndpoint={NOWHERE}"
    imported = exporters_imported(APPLICATIONINSIGHTS_CONNECTION_STRING=insights)
    assert imported == {"opentelemetry.sdk", "azure.monitor"}


@pytest.mark.slow
def test_a_worker_that_exports_already_is_left_alone() -> None:
    code = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from connorg.telemetry.export.exporters import start
from connorg.telemetry.target import TelemetryTarget
theirs = TracerProvider()
trace.set_tracer_provider(theirs)
start(TelemetryTarget(None, otlp=True))
print(trace.get_tracer_provider() is theirs, not theirs._active_span_processor._span_processors)
"""
    assert run(code).split() == ["True", "True"]


def test_the_timer_is_there_only_where_something_is_exported() -> None:
    assert "Observe" not in run(START).splitlines()[1].split()
    assert "Observe" in run(START, OTEL_EXPORTER_OTLP_ENDPOINT=NOWHERE).splitlines()[1].split()


@pytest.mark.slow
def test_a_reference_to_the_vault_that_was_not_followed_exports_nothing() -> None:
    assert not TelemetryTarget(None, otlp=False).is_exported
    reference = "@Microsoft.KeyVault(SecretUri=https://vault/secrets/x)"
    assert exporters_imported(APPLICATIONINSIGHTS_CONNECTION_STRING=reference) == set()


def test_without_an_exporter_the_caller_s_trace_is_carried_on_all_the_same() -> None:
    with telemetry.onboard(CALLER):
        assert telemetry.traceparent() == CALLER


@pytest.mark.parametrize("caller", [None, "", "nonsense", f"{CALLER}\n{CALLER}", "x" * 9_000])
def test_what_is_no_traceparent_is_not_carried_on(caller: str | None) -> None:
    with telemetry.onboard(caller):
        assert telemetry.traceparent() is None


@pytest.fixture
def spans() -> Iterator[tuple[TracerProvider, InMemorySpanExporter]]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(OwnSpans(exporter))
    yield provider, exporter
    provider.shutdown()


def test_only_spans_of_our_own_are_exported(
    spans: tuple[TracerProvider, InMemorySpanExporter],
) -> None:
    provider, exporter = spans
    for scope in (names.SCOPE, "com.microsoft.com:microsoft-kiota-http-httpx", "azure"):
        provider.get_tracer(scope).start_span(scope).end()
    provider.force_flush()
    assert [span.name for span in exporter.get_finished_spans()] == [names.SCOPE]


@pytest.fixture
def logged() -> Iterator[tuple[logging.Logger, InMemoryLogRecordExporter]]:
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    handler = LogHandler(provider.get_logger("test"))
    logger = logging.getLogger("connorg.test_telemetry")
    logger.addHandler(handler)
    yield logger, exporter
    logger.removeHandler(handler)


def test_of_an_exception_the_log_has_type_and_stack_and_not_the_text(
    logged: tuple[logging.Logger, InMemoryLogRecordExporter],
) -> None:
    logger, exporter = logged
    telemetry.set_onboarding("an-id")
    partner = "contoso.com"  # apart from the line that raises, which is in the stack
    try:
        raise ValueError(f"{partner} is wrong")  # noqa: TRY301
    except ValueError:
        logger.exception("a function failed")
    [exported] = exporter.get_finished_logs()
    record = exported.log_record
    attributes = dict(record.attributes or {})
    assert (record.body, record.severity_text) == ("a function failed", "ERROR")
    assert attributes[names.ONBOARDING_ID] == "an-id"
    assert attributes[names.EXCEPTION_TYPE] == "builtins.ValueError"
    assert "test_hooks.py" in str(attributes[names.EXCEPTION_STACKTRACE])
    assert partner not in exported.to_json()


def test_what_stands_for_an_exception_is_logged_under_the_type_of_that(
    logged: tuple[logging.Logger, InMemoryLogRecordExporter],
) -> None:
    logger, exporter = logged
    logger.error("a function failed", exc_info=UnexpectedError(ValueError("contoso.com")))
    [exported] = exporter.get_finished_logs()
    attributes = dict(exported.log_record.attributes or {})
    assert attributes[names.EXCEPTION_TYPE] == "builtins.ValueError"


def test_a_span_keeps_the_type_of_an_exception_and_not_its_text() -> None:
    code = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from connorg.telemetry import hooks as telemetry
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)
try:
    with telemetry.onboard():
        raise ValueError("contoso.com")
except ValueError:
    pass
"""
    told = run(code)
    assert '"description": "ValueError"' in told
    assert "contoso.com" not in told


def test_every_name_is_in_the_documentation() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text()
    told = [value for name, value in vars(names).items() if name.isupper()]
    assert len(told) > 20
    assert [name for name in told if f"`{name}`" not in page] == []


def test_the_oldest_that_still_waits_is_told() -> None:
    waiting = OldestWaiting(lambda: NOW)
    assert list(waiting.ages()) == [0.0]
    minute = timedelta(minutes=1)
    waiting.note(NOW - 9 * minute, until=NOW - minute)  # it came back since, to be noted anew
    waiting.note(NOW - 5 * minute, until=NOW + minute)
    waiting.note(NOW - 2 * minute, until=NOW + minute)
    assert list(waiting.ages()) == [300.0]


def test_notes_of_what_waits_do_not_pile_up() -> None:
    waiting = OldestWaiting(lambda: NOW)
    waiting.note(NOW - timedelta(hours=1), until=NOW + timedelta(hours=1))
    for _ in range(5_000):
        waiting.note(NOW, until=NOW + timedelta(hours=1))
    assert list(waiting.ages()) == [0.0]


def test_the_api_alone_tells_nothing() -> None:
    with telemetry.onboard(), telemetry.arm() as span:
        assert not span.is_recording()
    assert not isinstance(trace.get_tracer_provider(), TracerProvider)
