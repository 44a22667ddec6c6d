"""Each invariant notices what it is there for: a campaign that can't fail proves nothing."""

from dataclasses import replace

import pytest

from tests.campaign.evidence import Evidence
from tests.campaign.invariants import broken
from tests.campaign.plan import HTTP, Plan, Sending
from tests.campaign.traffic import Acceptance, Tally
from tests.end_to_end.client import Json, Partner

PARTNER = Partner("contoso.example")
ORGANIZATION: Json = {"id": "org-1", **PARTNER.body()}
ONBOARDING: Json = {
    "id": "onboarding-1",
    "status": "Succeeded",
    "request": PARTNER.body(),
    "attempts": 1,
    "result": {"id": "org-1"},
    "lastError": None,
    "nextAttemptDateTime": None,
}
CANCELED: Json = {**ONBOARDING, "status": "Canceled", "result": None}
WAITING: Json = {**ONBOARDING, "status": "Waiting", "result": None}

WELL = Evidence(
    plan=replace(Plan.draw(seed=0, partners=0, kills=1), sendings=(Sending(PARTNER, HTTP, 0),)),
    tally=Tally(accepted=[Acceptance(PARTNER, "onboarding-1")]),
    strikes=(),
    opened_twice=frozenset(),
    onboardings=(ONBOARDING,),
    by_id={"onboarding-1": ONBOARDING},
    organizations=(ORGANIZATION,),
    calls=(),
    seconds=1,
)


def test_nothing_is_broken_where_all_is_well() -> None:
    assert broken(WELL) == []


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(replace(WELL, organizations=()), id="an organization is missing"),
        pytest.param(
            replace(WELL, organizations=(ORGANIZATION, {**ORGANIZATION, "id": "org-2"})),
            id="an organization is there twice",
        ),
        pytest.param(
            replace(WELL, organizations=(ORGANIZATION, {"id": "org-2", **Partner().body()})),
            id="an organization that nobody asked for",
        ),
        pytest.param(
            replace(WELL, organizations=({**ORGANIZATION, "id": "org-2"},)),
            id="an onboarding names an organization that is not there",
        ),
        pytest.param(replace(WELL, onboardings=()), id="a message is lost"),
        pytest.param(replace(WELL, onboardings=(WAITING,)), id="an onboarding does not end"),
        pytest.param(replace(WELL, onboardings=(CANCELED,)), id="an onboarding was canceled"),
        pytest.param(
            replace(WELL, onboardings=(ONBOARDING, ONBOARDING)), id="a partner onboarded twice"
        ),
        pytest.param(
            replace(WELL, by_id={"onboarding-1": WAITING}), id="a promise that is not kept"
        ),
        pytest.param(
            replace(WELL, by_id={"onboarding-1": {**ONBOARDING, "request": Partner().body()}}),
            id="a promise about somebody else",
        ),
        pytest.param(
            replace(WELL, opened_twice=frozenset({PARTNER.domain})), id="two open at once"
        ),
        pytest.param(replace(WELL, tally=Tally(refused=["500"])), id="a good request was refused"),
    ],
)
def test_an_invariant_that_is_broken_is_named(evidence: Evidence) -> None:
    assert broken(evidence)
