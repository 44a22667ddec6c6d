"""Graph says 429: everybody waits as long as it asked, and nobody is forgotten."""

from tests.end_to_end.client import Connorg, Partner

RETRY_AFTER = 3


async def test_nobody_calls_graph_before_retry_after_is_over(connorg: Connorg) -> None:
    throttled, meanwhile = Partner(), Partner()
    await connorg.graph.fail_creates(throttled, "throttle", retryAfter=RETRY_AFTER, times=1)

    first = await connorg.submit(throttled.body())
    assert first.status_code == 202
    assert first.json()["status"] == "Waiting"
    assert 1 <= int(first.headers["retry-after"]) <= RETRY_AFTER + 2
    assert first.json()["lastError"]["code"] == "GraphThrottled"
    # A wait far longer than this test's patience: it must not outlast the closed gate.
    second = await connorg.submit(meanwhile.body(), prefer="wait=100")
    third = await connorg.submit(meanwhile.body(), prefer="respond-async")
    assert (second.status_code, third.status_code) == (202, 202)
    assert second.json()["attempts"] == 0, "a closed gate costs no attempt"

    for answer in (first, second):
        assert (await connorg.ended(answer.json()["id"]))["status"] == "Succeeded"
    lookup, refused, *later = await connorg.graph.requests_since(throttled)
    assert lookup["method"] == "GET"
    assert refused["status"] == 429
    assert min(call["time"] for call in later) >= refused["time"] + RETRY_AFTER
    for partner in (throttled, meanwhile):
        assert len(await connorg.graph.organizations(partner)) == 1
    assert [call["status"] for call in await connorg.graph.creates(throttled)] == [429, 201]
    assert [call["status"] for call in await connorg.graph.creates(meanwhile)] == [201]
    history = (await connorg.onboarding(first.json()["id"]))["history"]
    [waiting] = [step for step in history if step["step"] == "waiting"]
    assert (waiting["code"], waiting["graphStatus"]) == ("GraphThrottled", 429)
    assert waiting["graphRequestId"] == first.json()["lastError"]["graphRequestId"]


async def test_health_says_that_graph_throttles(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "throttle", retryAfter=2, times=1)
    await connorg.submit(partner.body())
    health = await connorg.health()
    [check] = [check for check in health["checks"] if check["name"] == "graph"]
    assert (health["status"], check["status"]) == ("degraded", "throttled")
