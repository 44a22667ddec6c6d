"""Telemetry as Application Insights gets it: by managed identity, under the names that are asked.

What stands here for the service takes everything; what Azure does with it is not seen.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connorg.telemetry import names
from tests.collector import PROMPT
from tests.end_to_end.client import Connorg, Partner, eventually
from tests.ingestion import KEY, Ingestion, ingesting
from tests.stack import Stack

CLIENT = "99999999-8888-7777-6666-555555555555"


@pytest.fixture(scope="module")
async def ingestion(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ingestion]:
    async with ingesting(Path(tmp_path_factory.mktemp("tls"))) as ingestion:
        yield ingestion


@pytest.fixture(scope="module")
async def insighted(ingestion: Ingestion) -> AsyncIterator[Connorg]:
    settings = {
        **PROMPT,
        **ingestion.settings,
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": f"ClientId={CLIENT};Authorization=AAD",
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
        "WEBSITE_SITE_NAME": "func-connorg-test",
    }
    with Stack(settings=settings) as stack:
        async with Connorg(stack) as connorg:
            yield connorg


async def sent(ingestion: Ingestion, base_type: str, text: str) -> dict[str, Any]:
    """Wait until something of a type was sent that holds a text."""

    async def found() -> dict[str, Any] | None:
        data = ingestion.of_type(base_type)
        return next((one for one in data if text in json.dumps(one)), None)

    return await eventually(found, f"no {base_type} with {text} is sent")


async def test_spans_metrics_and_log_are_sent_by_managed_identity(
    insighted: Connorg, ingestion: Ingestion
) -> None:
    partner = Partner()
    await insighted.graph.fail_creates(partner, "status", status=423, retryAfter=1, times=1)
    onboarding_id = await insighted.accepted(partner.body())
    await insighted.ended(onboarding_id)
    attempt = await sent(ingestion, "RemoteDependencyData", '"outcome": "created"')
    assert attempt["name"] == names.ATTEMPT
    assert attempt["properties"][names.ONBOARDING_ID] == onboarding_id
    # The queue carries on: to Application Insights that is a request.
    assert (await sent(ingestion, "RequestData", onboarding_id))["name"] == names.RESUME
    line = await sent(ingestion, "MessageData", "in attempt 2")
    assert line["properties"][names.ONBOARDING_ID] == onboarding_id
    metric = await sent(ingestion, "MetricData", names.CONCLUDED)
    assert metric["metrics"][0]["name"] == names.CONCLUDED
    assert metric["properties"] == {"status": "Succeeded", "conclusion": "created"}
    assert ingestion.claims("appid") == {CLIENT}
    [audience] = ingestion.claims("aud")
    assert audience.startswith("https://monitor.azure.com")


async def test_what_is_sent_belongs_to_one_operation_of_the_app(
    insighted: Connorg, ingestion: Ingestion
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    traceparent = f"00-{trace}-00f067aa0ba902b7-01"
    answer = await insighted.submit(Partner().body(), traceparent=traceparent)
    await sent(ingestion, "MessageData", answer.json()["id"])
    await sent(ingestion, "RemoteDependencyData", "onboard")
    tags = [e["tags"] for e in ingestion.envelopes if trace in json.dumps(e["tags"])]
    assert tags
    assert {tag["ai.cloud.role"] for tag in tags} == {"func-connorg-test"}
    assert {e["iKey"] for e in ingestion.envelopes} == {KEY}
    create = await sent(ingestion, "RemoteDependencyData", '"resultCode": "201"')
    assert create["name"].endswith("/entitlementManagement/connectedOrganizations")
    assert create["name"].startswith("POST ")
    assert (create["type"], create["success"]) == ("HTTP", True)
    assert ingestion.paths == {"/v2.1/track"}


async def test_nothing_sent_says_whom_it_is_about(insighted: Connorg, ingestion: Ingestion) -> None:
    partner = Partner()
    answer = await insighted.submit(partner.body())
    await sent(ingestion, "RemoteDependencyData", answer.json()["id"])
    await sent(ingestion, "MessageData", answer.json()["id"])
    text = json.dumps(ingestion.envelopes)
    assert insighted.secrets_in(text) == []
    private = {".example", "Partner ", "filter="}
    assert [word for word in private if word in text] == []
