"""What is counted in the tests' own process. The provider is set once and stays."""

from functools import cache
from typing import Any

from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from connorg.telemetry import names


@cache
def _reader() -> InMemoryMetricReader:
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader]))
    return reader


class Metrics:
    """What was counted since it was made."""

    def __init__(self) -> None:
        self._before = _points()

    def counted(self) -> dict[tuple[str, ...], float]:
        """Return what was added to each counter, by its name and the values of its attributes."""
        now = _points()
        added = {key: now[key] - self._before.get(key, 0) for key in now}
        return {key: count for key, count in added.items() if count and key[0] in _COUNTERS}

    def value(self, name: str) -> float:
        """Return what a gauge shows."""
        return _points()[name,]


_COUNTERS = {
    names.ACCEPTED,
    names.CONCLUDED,
    names.ATTEMPTS,
    names.GRAPH_THROTTLED,
    names.GRAPH_BLOCKED,
    names.POISONED,
}


def _points() -> dict[tuple[str, ...], float]:
    data: Any = _reader().get_metrics_data()
    if data is None:
        return {}
    return {
        (metric.name, *map(str, point.attributes.values())): point.value
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
        if hasattr(point, "value")
    }
