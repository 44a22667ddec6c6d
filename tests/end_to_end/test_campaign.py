"""The fault campaign, small enough for a test run; `make campaign` is the large one."""

from random import SystemRandom

import pytest

from infra.local.child import ROOT
from tests.campaign.campaign import carry_out
from tests.campaign.invariants import broken
from tests.campaign.plan import Plan

PARTNERS, KILLS = 40, 3


@pytest.mark.slow
async def test_kills_and_faults_lose_nothing_and_double_nothing() -> None:
    plan = Plan.draw(SystemRandom().randrange(10_000), PARTNERS, KILLS)
    again = f"python -m tests.campaign --partners {PARTNERS} --kills {KILLS} --seed {plan.seed}"
    log = ROOT / ".local" / "test_campaign.log"
    try:
        evidence = await carry_out(plan, log=log)
    except Exception as failure:
        raise AssertionError(f"the campaign broke off; once more: {again}") from failure
    assert len(evidence.strikes) == KILLS + 1
    assert not broken(evidence), f"{log} has what was said; once more: {again}"
