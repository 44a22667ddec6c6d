"""What an operator can switch off: callbacks, and the lookup of tenants."""

import pytest

from tests.end_to_end.client import Connorg, Partner, problem


@pytest.fixture
def reduced(breakable: Connorg) -> Connorg:
    breakable.stack.set_functions(
        {"CONNORG_CALLBACK_SECRETS": "", "CONNORG_TENANT_LOOKUP": "false"}
    )
    return breakable


async def test_without_a_secret_nobody_is_called(reduced: Connorg) -> None:
    answer = await reduced.submit(Partner().body(callbackUrl="https://prod-1.logic.azure.com/run"))
    [fault] = problem(answer, 422, "RefusedByPolicy")["errors"]
    assert fault["pointer"] == "/callbackUrl"
    assert "CONNORG_CALLBACK_SECRETS" in fault["detail"]


async def test_a_tenant_is_not_looked_up(reduced: Connorg) -> None:
    partner = Partner()
    assert (await reduced.submit(partner.body())).status_code == 201
    [create] = await reduced.graph.calls(partner)
    assert create["method"] == "POST"
    [check] = [c for c in (await reduced.health())["checks"] if c["name"] == "tenantLookup"]
    assert "CONNORG_TENANT_LOOKUP" in check["detail"]
