"""What happened to a partner, in words, as the history of its onboarding has it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

type Json = dict[str, Any]


def story(history: Sequence[Json]) -> str:
    """Return what was tried and what came of it, such as "throttled, tried again after 3 s"."""
    return ", ".join(_parts(history)) or "created"


def _parts(history: Sequence[Json]) -> Iterator[str]:
    is_lost = False
    for step, following in zip(history, [*history[1:], None], strict=True):
        match step["step"], step.get("code"):
            case "waiting", "GraphThrottled":
                yield f"throttled, tried again{_after(step, following)}"
            case "waiting", None:
                yield f"waited{_after(step, following, '')} while Graph was throttling"
            case "waiting", "GraphUnavailable":
                is_lost = True
                yield f"Graph answered {step.get('graphStatus')}"
            case "waiting", _:
                is_lost = True
                yield "answer lost"
            case "lookedUp", _ if is_lost and step["outcome"].startswith("organization"):
                yield "found in Graph, not created twice"
            case "lookedUp", _ if is_lost:
                yield "looked up, not in Graph, created"
            case "failed" | "canceled", code:
                yield f"{step['step']}: {code}"


def _after(step: Json, following: Json | None, word: str = " after") -> str:
    if following is None:
        return ""
    ended, began = (datetime.fromisoformat(each["dateTime"]) for each in (following, step))
    return f"{word} {(ended - began).total_seconds():.0f} s"
