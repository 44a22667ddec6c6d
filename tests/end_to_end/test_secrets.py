"""No secret leaves the app: `Connorg.call` looks through each answer, these through the log."""

import pytest

from tests.end_to_end.client import Connorg, Partner


async def test_the_functions_log_no_secret(connorg: Connorg) -> None:
    """What the frail stack's functions log is looked through when a module is done with it."""
    partner = Partner()
    await connorg.submit(Partner().body())
    await connorg.graph.fail_creates(partner, "html", status=502, times=1)
    await connorg.submit(partner.body())
    await connorg.put("not JSON")
    await connorg.call("GET", f"onboardings?code={connorg.stack.key}&top=0", key=False)
    assert "ListOnboardings" in connorg.stack.log
    assert connorg.logged_secrets() == []


@pytest.mark.parametrize("path", ["onboardings?top=1", "onboardings/x", "health", "onboardings?x"])
async def test_a_key_in_the_address_is_in_no_answer(connorg: Connorg, path: str) -> None:
    """Callers of webhooks can send no header. `nextLink` is what could repeat their address."""
    for _ in range(2):
        await connorg.submit(Partner().body())
    joint = "&" if "?" in path else "?"
    await connorg.call("GET", f"{path}{joint}code={connorg.stack.key}", key=False)
