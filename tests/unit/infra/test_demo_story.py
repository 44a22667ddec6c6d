"""The demo tells what happened to a partner by the history of its onboarding."""

from typing import Any

import pytest

from infra.local.demo.story import story


def step(second: int, name: str, outcome: str = "", **more: Any) -> dict[str, Any]:
    return {"dateTime": f"2026-01-01T00:00:{second:02}Z", "step": name, "outcome": outcome, **more}


ACCEPTED, FIRST, DONE = step(0, "accepted"), step(1, "attempt"), step(9, "succeeded", "done")
LOST = step(2, "waiting", "until later", code="GraphConnectionLost")
AGAIN = step(5, "attempt", "attempt 2")
CREATED = step(6, "created", "organization 1")


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([], "created"),
        ([FIRST, CREATED], "created"),
        (
            [FIRST, step(2, "waiting", code="GraphThrottled"), AGAIN, CREATED],
            "throttled, tried again after 3 s",
        ),
        ([step(1, "waiting"), AGAIN, CREATED], "waited 4 s while Graph was throttling"),
        (
            [FIRST, LOST, AGAIN, step(6, "lookedUp", "organization 1"), CREATED],
            "answer lost, found in Graph, not created twice",
        ),
        (
            [FIRST, LOST, AGAIN, step(6, "lookedUp", "no organization is listed"), CREATED],
            "answer lost, looked up, not in Graph, created",
        ),
        (
            [FIRST, step(2, "waiting", code="GraphUnavailable", graphStatus=503), AGAIN, CREATED],
            "Graph answered 503",
        ),
        ([FIRST, step(2, "failed", code="RefusedByGraph")], "failed: RefusedByGraph"),
        ([FIRST, step(2, "waiting", code="GraphThrottled")], "throttled, tried again"),
    ],
)
def test_a_history_is_told_in_words(steps: list[dict[str, Any]], told: str) -> None:
    assert story([ACCEPTED, *steps, DONE]).startswith(told)


def test_a_lookup_without_a_lost_answer_is_not_told() -> None:
    assert story([ACCEPTED, FIRST, step(2, "lookedUp", "organization 1"), CREATED]) == "created"
