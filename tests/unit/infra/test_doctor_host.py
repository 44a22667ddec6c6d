"""What the doctor makes of a Functions host that ends, is in error, or is full."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from infra.doctor import outside
from infra.doctor.findings import Finding, Level

HEALTHY = httpx.Response(200, json={"status": "healthy", "checks": []})
IN_ERROR = httpx.Response(503, text="Function host is not running.")

type Answer = httpx.Response | httpx.HTTPError


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "_PAUSE_SECONDS", 0)


async def examined(*answers: Answer) -> dict[str, Finding]:
    """What is found where health gives these answers, the last again and again."""
    left: Iterator[Answer] = iter(answers)
    last = answers[-1]

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/health"):
            return httpx.Response(401)
        given = next(left, last)
        if isinstance(given, httpx.HTTPError):
            raise given
        return given

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        examination = outside.Examination("https://app.example", http, {})
        return {finding.check: finding async for finding in examination.findings()}


def refused() -> httpx.HTTPError:
    return httpx.ConnectError("refused")


@pytest.mark.parametrize(
    "outage",
    [
        refused,
        lambda: httpx.ReadError("cut"),
        *(lambda s=s: httpx.Response(s) for s in (500, 502, 503)),
    ],
)
async def test_an_app_that_comes_and_goes_is_told_from_one_that_answers(
    outage: Callable[[], Answer],
) -> None:
    found = await examined(outage(), HEALTHY)
    assert found["address"].level is Level.OK
    assert found["host"].level is Level.FAULT
    assert "Storage Queue Data Contributor" in found["host"].mend


async def test_an_app_that_stays_away_may_be_refused_by_storage() -> None:
    found = await examined(refused())
    assert found["address"].level is Level.FAULT
    assert "See the name" in found["address"].mend
    assert "Host is shutting down" in found["address"].mend


async def test_a_host_in_error_is_a_deployment_to_mend() -> None:
    found = await examined(IN_ERROR)
    assert "/admin/host/status" in found["address"].mend
    assert "storage" not in found["address"].mend


async def test_a_full_host_is_asked_again_later() -> None:
    found = await examined(httpx.Response(429, headers={"X-FUNCTION-SCALEOUT": "1"}))
    assert "more requests at once" in found["address"].mend


async def test_an_app_that_answers_at_once_has_no_finding_of_its_host() -> None:
    assert "host" not in await examined(HEALTHY)
