"""No secret leaves the app: `Connorg.call` looks through each answer, these through the rest."""

import re

import pytest

from connorg.telemetry import names
from tests.collector import Collector
from tests.end_to_end.client import Connorg, Partner
from tests.end_to_end.exported import ended_trace, told
from tests.receivers import receiving


async def test_the_functions_log_no_secret(connorg: Connorg) -> None:
    """What the frail stack's functions log is looked through when a module is done with it."""
    partner = Partner()
    await connorg.submit(Partner().body())
    await connorg.graph.fail_creates(partner, "html", status=502, times=1)
    await connorg.submit(partner.body())
    await connorg.put("not JSON")
    await connorg.call("GET", f"onboardings?code={connorg.stack.key}&top=0", key=False)
    await connorg.logged("ListOnboardings")
    assert connorg.logged_secrets() == []


@pytest.mark.parametrize("path", ["onboardings?top=1", "onboardings/x", "health", "onboardings?x"])
async def test_a_key_in_the_address_is_in_no_answer(connorg: Connorg, path: str) -> None:
    """Callers of webhooks can send no header. `nextLink` is what could repeat their address."""
    for _ in range(2):
        await connorg.submit(Partner().body())
    joint = "&" if "?" in path else "?"
    await connorg.call("GET", f"{path}{joint}code={connorg.stack.key}", key=False)


async def test_nothing_exported_says_whom_it_is_about_or_holds_a_secret(
    observed: Connorg, collector: Collector
) -> None:
    """Also where Graph fails, a webhook is refused, a message can't be read, a lookup filters."""
    partner, unread = Partner(), Partner()
    name = f"Display Name {partner.domain}"
    async with receiving() as receiver:
        address = receiver.address("private")
        await observed.graph.fail_creates(partner, "html", status=502, times=1)
        sponsor = f"sponsor@{partner.domain}"
        body = partner.body(displayName=name, callbackUrl=address, internalSponsors=[sponsor])
        onboarding_id = await observed.accepted(body)
        await observed.ended(onboarding_id)
        await observed.put(unread.body(state="approved"))
        await observed.call("GET", f"connected-organizations?domainName={partner.domain}")
        await observed.call("POST", "webhooks/unknown", content=b"{}", key=False)
        spans = await ended_trace(collector, onboarding_id, "callback")
    assert "attempt" in {span.name for span in spans}
    await told(
        lambda: [line for line in collector.lines if "could not be understood" in line.body],
        "the unreadable message is not logged",
    )
    assert observed.secrets_in(collector.text) == []
    private = {".example", "Display Name", "/runs/", "sig=", "sponsor@", "Partner "}
    assert [word for word in private if word in collector.text] == []
    addresses = set(re.findall(r'https?://[^"]+', collector.text))
    assert addresses == {
        f"{observed.stack.graph}/v1.0{span.name.partition(' ')[2]}"
        for span in collector.spans
        if names.HTTP_METHOD in span.attributes
    }, "addresses are told, other than the templates of calls to Graph"
