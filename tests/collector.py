"""An OTLP collector, as tests play it: a server on this machine that keeps what it is sent."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from gzip import decompress
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1 import trace_pb2

type Attributes = dict[str, Any]

# Exporters send at once, so that nobody waits for them.
PROMPT = {
    "OTEL_BSP_SCHEDULE_DELAY": "50",
    "OTEL_BLRP_SCHEDULE_DELAY": "50",
    "OTEL_METRIC_EXPORT_INTERVAL": "200",
}


@dataclass(frozen=True)
class Span:
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    """The traces that it is linked to."""
    status: str
    message: str
    attributes: Attributes
    scope: str
    start: int


@dataclass(frozen=True)
class Line:
    body: str
    severity: str
    trace: str
    attributes: Attributes


@dataclass(frozen=True)
class Point:
    name: str
    unit: str
    attributes: Attributes
    value: float
    """Of a histogram: its sum."""
    count: int = 0
    bounds: tuple[float, ...] = ()


@dataclass
class Collector:
    url: str = ""
    spans: list[Span] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    resources: list[Attributes] = field(default_factory=list)
    metric_exports: int = 0
    text: str = ""
    """All that was sent, as JSON."""

    @property
    def settings(self) -> dict[str, str]:
        """What lets an app send here."""
        return {**PROMPT, "OTEL_EXPORTER_OTLP_ENDPOINT": self.url}

    def trace_of(self, onboarding_id: str) -> list[Span]:
        """Every span of the trace in which an onboarding is told, in the order of their start."""
        traces = {s.trace for s in self.spans if s.attributes.get("onboarding_id") == onboarding_id}
        return sorted((s for s in self.spans if s.trace in traces), key=lambda s: s.start)

    def total(self, name: str, **attributes: Any) -> float:
        """What a counter has come to so far."""
        found = [p for p in self.points if p.name == name and p.attributes == attributes]
        return found[-1].value if found else 0.0

    async def take_spans(self, request: web.Request) -> web.Response:
        sent = await self._taken(request, ExportTraceServiceRequest())
        for resource in sent.resource_spans:
            self.resources.append(_attributes(resource.resource.attributes))
            for scope in resource.scope_spans:
                self.spans += [_span(span, scope.scope.name) for span in scope.spans]
        return web.Response()

    async def take_lines(self, request: web.Request) -> web.Response:
        sent = await self._taken(request, ExportLogsServiceRequest())
        for resource in sent.resource_logs:
            for scope in resource.scope_logs:
                self.lines += [_line(record) for record in scope.log_records]
        return web.Response()

    async def take_metrics(self, request: web.Request) -> web.Response:
        sent = await self._taken(request, ExportMetricsServiceRequest())
        self.metric_exports += 1
        for resource in sent.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    self.points += _points(metric)
        return web.Response()

    async def _taken[M: Message](self, request: web.Request, message: M) -> M:
        body = await request.read()
        gzipped = request.headers.get("content-encoding") == "gzip"
        message.ParseFromString(decompress(body) if gzipped else body)
        self.text += MessageToJson(message)
        return message


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application(client_max_size=2**26, handler_args={"auto_decompress": False})
    app.router.add_post("/v1/traces", collector.take_spans)
    app.router.add_post("/v1/logs", collector.take_lines)
    app.router.add_post("/v1/metrics", collector.take_metrics)
    async with TestServer(app, host="127.0.0.1") as server:
        collector.url = f"http://127.0.0.1:{server.port}"
        yield collector


def _span(span: trace_pb2.Span, scope: str) -> Span:
    return Span(
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple(link.trace_id.hex() for link in span.links),
        status=trace_pb2.Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
        message=span.status.message,
        attributes=_attributes(span.attributes),
        scope=scope,
        start=span.start_time_unix_nano,
    )


def _line(record: LogRecord) -> Line:
    return Line(
        body=record.body.string_value,
        severity=record.severity_text,
        trace=record.trace_id.hex(),
        attributes=_attributes(record.attributes),
    )


def _points(metric: Metric) -> Iterator[Point]:
    kind = metric.WhichOneof("data")
    assert kind is not None
    for point in getattr(metric, kind).data_points:
        attributes = _attributes(point.attributes)
        if kind == "histogram":
            bounds = tuple(point.explicit_bounds)
            yield Point(metric.name, metric.unit, attributes, point.sum, point.count, bounds)
        else:
            value = float(getattr(point, point.WhichOneof("value")))
            yield Point(metric.name, metric.unit, attributes, value)


def _attributes(pairs: Any) -> Attributes:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
