"""What of all spans and log lines is exported: connorg's own, and nothing that names a partner.

The SDKs below record whole addresses in their spans (Kiota, azure-core), and a filter or a row of a
table holds a domain. An exception's text may quote a value. So spans are chosen by their scope, log
lines by their logger, and of an exception go its type and its stack, which hold names of our code.
"""

import logging
import traceback

from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from connorg.telemetry import hooks as telemetry
from connorg.telemetry.names import EXCEPTION_STACKTRACE, EXCEPTION_TYPE, ONBOARDING_ID, SCOPE
from connorg.telemetry.unexpected import UnexpectedError, name_of

_SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


class OwnSpans(BatchSpanProcessor):
    def on_end(self, span: ReadableSpan) -> None:
        if span.instrumentation_scope is not None and span.instrumentation_scope.name == SCOPE:
            super().on_end(span)


class LogHandler(logging.Handler):
    """Hands log lines on, each with the onboarding that it is about."""

    def __init__(self, logger: Logger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        self._logger.emit(
            timestamp=int(record.created * 1_000_000_000),
            severity_number=_SEVERITIES.get(record.levelno, SeverityNumber.UNSPECIFIED),
            severity_text=record.levelname,
            body=record.getMessage(),
            attributes=_attributes(record),
        )


def _attributes(record: logging.LogRecord) -> dict[str, str]:
    attributes = {"logger": record.name}
    onboarding_id = telemetry.onboarding_id()
    if onboarding_id is not None:
        attributes[ONBOARDING_ID] = onboarding_id
    kind, error, stack = record.exc_info or (None, None, None)
    if kind is not None:
        stands_for = error.types[0] if isinstance(error, UnexpectedError) else name_of(kind)
        attributes[EXCEPTION_TYPE] = stands_for
        attributes[EXCEPTION_STACKTRACE] = "".join(traceback.format_tb(stack))
    return attributes
