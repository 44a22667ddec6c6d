"""What a collector was sent, as tests wait for it."""

from collections.abc import Callable

from tests.collector import Collector, Span
from tests.end_to_end.client import eventually


async def told[T](probe: Callable[[], T | None], otherwise: str) -> T:
    async def ask() -> T | None:
        return probe()

    return await eventually(ask, otherwise)


async def ended_trace(collector: Collector, onboarding_id: str, last: str) -> list[Span]:
    """Wait until a span that comes last was told, and all spans that others stand under."""

    def whole() -> list[Span] | None:
        spans = collector.trace_of(onboarding_id)
        is_whole = {s.parent for s in spans[1:]} <= {s.id for s in spans}
        return spans if is_whole and last in {s.name for s in spans} else None

    return await told(whole, f"the trace of {onboarding_id} does not end with {last}")
