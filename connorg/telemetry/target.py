"""Where telemetry is sent, as the app settings say."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TelemetryTarget:
    """Where telemetry goes. The names of the settings are Azure's and OpenTelemetry's own."""

    application_insights: str | None
    """The connection string."""
    otlp: bool
    """The exporter reads the settings of OTLP itself."""

    @property
    def is_exported(self) -> bool:
        return self.application_insights is not None or self.otlp
