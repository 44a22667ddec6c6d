"""Exporting: to Application Insights, to an OTLP collector, or to both, as the app settings say.

The distro `azure-monitor-opentelemetry`, and so the worker where the setting
PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY makes it call that, would also switch on
instrumentations of libraries, which record whole addresses. So the exporter is used as it is.
"""

import logging
import os
import uuid
from dataclasses import dataclass, field

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from connorg.telemetry.export.records import LogHandler, OwnSpans
from connorg.telemetry.names import SCOPE
from connorg.telemetry.target import TelemetryTarget

_log = logging.getLogger(__name__)


@dataclass
class _Exporters:
    spans: list[SpanExporter] = field(default_factory=list)
    metrics: list[MetricExporter] = field(default_factory=list)
    logs: list[LogRecordExporter] = field(default_factory=list)


def start(target: TelemetryTarget) -> None:
    """Export from now on. Where somebody exports already, leave it to them: nothing goes twice."""
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        _log.warning("the worker exports telemetry already, so connorg does not")
        return
    exporters = _Exporters()
    if target.application_insights is not None:
        _add_application_insights(exporters, target.application_insights)
    if target.otlp:
        _add_otlp(exporters)
    resource = _resource()
    _start_spans(exporters.spans, resource)
    readers = [PeriodicExportingMetricReader(exporter) for exporter in exporters.metrics]
    metrics.set_meter_provider(MeterProvider(readers, resource))
    _start_logs(exporters.logs, resource)


def _start_spans(exporters: list[SpanExporter], resource: Resource) -> None:
    # Onboardings are few, so each is traced, also if the caller's own trace is not: unless the
    # operator says otherwise.
    sampler = None if "OTEL_TRACES_SAMPLER" in os.environ else ALWAYS_ON
    provider = TracerProvider(sampler, resource)
    for exporter in exporters:
        provider.add_span_processor(OwnSpans(exporter))
    trace.set_tracer_provider(provider)


def _start_logs(exporters: list[LogRecordExporter], resource: Resource) -> None:
    provider = LoggerProvider(resource)
    for exporter in exporters:
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    _logs.set_logger_provider(provider)
    logging.getLogger(SCOPE).addHandler(LogHandler(provider.get_logger(SCOPE)))


def _add_application_insights(exporters: _Exporters, connection_string: str) -> None:
    """The exporter reads APPLICATIONINSIGHTS_AUTHENTICATION_STRING itself: the identity to use."""
    # By default it reports on itself to Microsoft and takes switches from there. With these it
    # calls only the ingestion endpoint.
    os.environ.setdefault("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
    os.environ.setdefault("APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED", "true")
    from azure.monitor.opentelemetry.exporter import (  # noqa: PLC0415
        AzureMonitorLogExporter,
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )

    exporters.spans.append(AzureMonitorTraceExporter(connection_string=connection_string))
    exporters.metrics.append(AzureMonitorMetricExporter(connection_string=connection_string))
    exporters.logs.append(AzureMonitorLogExporter(connection_string=connection_string))


def _add_otlp(exporters: _Exporters) -> None:
    """OTLP over HTTP; the exporters read the OTEL_EXPORTER_OTLP_* variables themselves."""
    from opentelemetry.exporter.otlp.proto.http._log_exporter import (  # noqa: PLC0415
        OTLPLogExporter,
    )
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415
        OTLPMetricExporter,
    )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    exporters.spans.append(OTLPSpanExporter())
    exporters.metrics.append(OTLPMetricExporter())
    exporters.logs.append(OTLPLogExporter())


def _resource() -> Resource:
    """Name the app as the Functions host does, and each process of it apart."""
    name = os.environ.get("OTEL_SERVICE_NAME") or os.environ.get("WEBSITE_SITE_NAME") or SCOPE
    return Resource.create({"service.name": name, "service.instance.id": str(uuid.uuid4())})
