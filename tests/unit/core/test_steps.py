"""One attempt at Graph: what is asked before the POST, and what is made of what it finds."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connorg.contract.forecast import Prospect
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.contract.sponsors import SponsorKind
from connorg.core.domain.outcomes import Later, Refused
from connorg.core.onboarding.dry_run import dry_run
from connorg.core.organizations import delete_organization
from connorg.core.policy.rules import Policy
from tests.unit.core.scene import BUSY, LOST, Scene
from tests.unit.partners import CONTOSO_TENANT, domain_source, request, tenant_source

DOMAIN, TENANT = "domain:contoso.com", f"tenant:{CONTOSO_TENANT}"
MINUTE = timedelta(minutes=1)


FEDERATION = {
    "@odata.type": "#microsoft.graph.externalDomainFederation",
    "domainName": "tailspin.com",
}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def creates(scene: Scene) -> int:
    return scene.calls.count("Graph's create")


@pytest.fixture
def two_names(scene: Scene) -> Scene:
    """A partner that can be asked for by its domain or by its tenant, which Graph takes for two."""
    scene.graph.tenant_of_domain["contoso.com"] = CONTOSO_TENANT
    scene.graph.tells_tenants_apart = False
    return scene


async def test_after_a_lost_answer_nothing_is_posted_before_a_search_can_be_believed(
    scene: Scene,
) -> None:
    scene.setback_of_create = LOST
    lost = await scene.submitted(wait=20)
    scene.setback_of_create = None
    assert lost.doubt_until is not None
    scene.clock.moment = lost.doubt_until - timedelta(seconds=10)
    await scene.deliver()
    assert creates(scene) == 1
    waiting = await scene.held(lost)
    assert waiting.last_error is not None
    assert (waiting.status, waiting.last_error.code) == (Status.WAITING, "NotListedYet")
    scene.clock.moment += MINUTE
    await scene.deliver()
    assert (await scene.held(lost)).status is Status.SUCCEEDED
    assert (creates(scene), scene.graph.commits[DOMAIN]) == (2, 1)


@pytest.mark.parametrize("name", ["Contoso", "Another name"])
async def test_what_an_earlier_attempt_created_is_its_own_and_anything_else_is_not(
    scene: Scene, name: str
) -> None:
    scene.setback_of_create = LOST
    lost = await scene.submitted(wait=20, ifExists="fail")
    scene.setback_of_create = None
    scene.graph.create(request(displayName=name))
    scene.clock.moment += MINUTE
    await scene.deliver()
    ended = await scene.held(lost)
    assert creates(scene) == 1
    if name == "Contoso":
        assert (ended.status, ended.conclusion) == (Status.SUCCEEDED, Conclusion.CREATED)
    else:
        assert ended.last_error is not None
        assert (ended.status, ended.last_error.code) == (Status.FAILED, "AlreadyConnected")


async def test_what_was_there_before_is_existing(scene: Scene) -> None:
    scene.graph.create(request())
    done = await scene.submitted(wait=20)
    assert (done.status, done.conclusion) == (Status.SUCCEEDED, Conclusion.EXISTING)


async def test_what_graph_refuses_as_a_duplicate_and_does_not_list_yet_is_waited_for(
    scene: Scene,
) -> None:
    scene.graph.create(request())
    [stored] = scene.graph.stored.values()
    scene.clock.moment += 10 * MINUTE  # it is nobody's own
    stored.listed_at = scene.clock.now() + MINUTE
    waiting = await scene.submitted(wait=20)
    assert waiting.status is Status.WAITING
    scene.clock.moment += 2 * MINUTE
    await scene.deliver()
    done = await scene.held(waiting)
    assert (done.status, done.conclusion) == (Status.SUCCEEDED, Conclusion.EXISTING)
    assert creates(scene) == 1


async def test_a_tenant_that_another_connects_right_now_is_waited_for(two_names: Scene) -> None:
    scene = two_names
    others: list[Onboarding] = []

    async def is_asked_for_by_its_id() -> None:
        others.append(await scene.submitted(20, identitySources=[tenant_source()]))

    scene.meanwhile("Graph's create", is_asked_for_by_its_id)
    first = await scene.submitted(wait=20)
    [other] = others
    assert other.last_error is not None
    assert (other.status, other.last_error.code) == (Status.WAITING, "TenantUnderWay")
    scene.clock.moment += MINUTE
    await scene.deliver()
    ended = await scene.held(other)
    assert (first.conclusion, ended.conclusion) == (Conclusion.CREATED, Conclusion.EXISTING)
    assert (scene.graph.commits[TENANT], creates(scene)) == (1, 1)


async def test_a_tenant_that_was_just_connected_may_not_be_listed_yet(two_names: Scene) -> None:
    scene = two_names
    await scene.submitted(wait=20)
    [stored] = scene.graph.stored.values()
    stored.listed_at = scene.clock.now() + MINUTE / 2
    waiting = await scene.submitted(20, identitySources=[tenant_source()])
    assert (waiting.status, creates(scene)) == (Status.WAITING, 1)
    scene.clock.moment += MINUTE
    await scene.deliver()
    assert (await scene.held(waiting)).conclusion is Conclusion.EXISTING
    assert (scene.graph.commits[TENANT], creates(scene)) == (1, 1)


async def test_who_follows_on_a_tenant_that_came_to_nothing_has_it_for_himself(
    two_names: Scene,
) -> None:
    scene = two_names
    scene.graph.refused.add(DOMAIN)
    assert (await scene.submitted(wait=20)).status is Status.FAILED
    scene.clock.moment += MINUTE
    scene.graph.refused.clear()
    others: list[Onboarding] = []

    async def is_asked_for_by_its_domain() -> None:
        others.append(await scene.submitted(20))

    scene.meanwhile("Graph's create", is_asked_for_by_its_domain)
    follower = await scene.submitted(20, identitySources=[tenant_source()])
    assert follower.conclusion is Conclusion.CREATED
    assert [other.status for other in others] == [Status.WAITING]
    assert scene.graph.commits[TENANT] == 1


async def test_of_two_who_follow_on_a_tenant_one_has_it(two_names: Scene) -> None:
    scene = two_names
    scene.graph.tenant_of_domain["contoso.net"] = CONTOSO_TENANT
    scene.graph.refused.add(DOMAIN)
    assert (await scene.submitted(wait=20)).status is Status.FAILED
    scene.clock.moment += MINUTE

    async def is_asked_for_by_its_other_domain() -> None:
        await scene.submitted(20, identitySources=[domain_source("contoso.net")])

    scene.meanwhile("update tenant", is_asked_for_by_its_other_domain)
    follower = await scene.submitted(20, identitySources=[tenant_source()])
    assert follower.last_error is not None
    assert (follower.status, follower.last_error.code) == (Status.WAITING, "TenantUnderWay")
    assert scene.graph.commits[TENANT] == 1


async def test_the_policy_is_asked_again_when_the_tenant_is_known(two_names: Scene) -> None:
    scene = two_names
    policy = Policy(denied=frozenset({CONTOSO_TENANT}))
    scene.services = replace(scene.services, policy=policy)
    refused = await scene.submitted(wait=20)
    assert refused.last_error is not None
    assert (refused.status, refused.last_error.code) == (Status.FAILED, "RefusedByPolicy")
    assert creates(scene) == 0


async def test_a_policy_that_changed_meanwhile_holds_for_what_waits(scene: Scene) -> None:
    waiting = await scene.submitted()
    scene.services = replace(scene.services, policy=Policy(denied=frozenset({"contoso.com"})))
    await scene.deliver()
    assert (await scene.held(waiting)).status is Status.FAILED
    assert creates(scene) == 0


async def test_an_attempt_goes_on_with_the_sponsors_that_are_left(scene: Scene) -> None:
    sponsors = [f"{digit * 8}-0000-4000-8000-000000000001" for digit in "12"]

    async def graph_is_busy() -> None:
        scene.setback = BUSY

    scene.meanwhile("Graph's sponsor", nothing)
    scene.meanwhile("Graph's sponsor", graph_is_busy)
    waiting = await scene.submitted(20, internalSponsors=sponsors)
    assert (waiting.status, waiting.conclusion) == (Status.WAITING, Conclusion.CREATED)
    assert [sponsorship.sponsor for sponsorship in waiting.sponsors_to_add] == sponsors[1:]
    scene.setback = None
    scene.clock.moment += 2 * MINUTE
    await scene.deliver()
    done = await scene.held(waiting)
    assert (done.status, done.conclusion) == (Status.SUCCEEDED, Conclusion.CREATED)
    [stored] = scene.graph.stored.values()
    assert stored.sponsors[SponsorKind.INTERNAL] == sponsors
    assert (creates(scene), scene.calls.count("Graph's find")) == (1, 0)


async def nothing() -> None: ...


async def test_a_delete_that_graph_refuses_takes_the_mark_back(scene: Scene) -> None:
    done = await scene.submitted(wait=20)
    assert done.result is not None
    refused = Refused(OnboardingError(code="RefusedByGraph", message="A policy uses it."))

    class Holding:
        async def delete(self, _: str) -> Refused:
            return refused

    admin: Any = Holding()
    assert await delete_organization(scene.services, admin, done.result.id) is refused
    assert (await scene.held(done)).deleted_date_time is None


async def test_a_change_that_graph_refuses_leaves_the_organization_as_it_is(scene: Scene) -> None:
    scene.graph.create(request(description="As it was"))
    scene.setback_of_update = Refused(OnboardingError(code="RefusedByGraph", message="No."))
    done = await scene.submitted(wait=20, ifExists="update")
    assert (done.status, done.conclusion) == (Status.SUCCEEDED, Conclusion.EXISTING)
    assert [warning.code for warning in done.warnings] == ["NoTenant", "RefusedByGraph"]
    assert done.warnings[1].message == "No."


async def test_what_graph_refuses_and_yet_stands_is_adopted(scene: Scene) -> None:
    scene.graph.create(request())
    scene.setback_of_create = Refused(OnboardingError(code="RefusedByGraph", message="No."))
    done = await scene.submitted(wait=20)
    assert (done.status, done.conclusion) == (Status.SUCCEEDED, Conclusion.EXISTING)


async def test_a_lookup_that_is_not_offered_holds_nothing_up(scene: Scene) -> None:
    gone = OnboardingError(code="GraphUnavailable", message="No.", graph_status=501)
    scene.setback_of_lookup = Later(gone, ambiguous=True)
    assert (await scene.submitted(wait=20)).status is Status.SUCCEEDED
    assert (await scene.services.throttle.gate()).lookups_denied_until is not None


async def test_a_domain_that_no_tenant_has_is_connected_with_a_warning(scene: Scene) -> None:
    scene.graph.tenant_of_domain["fabrikam.com"] = CONTOSO_TENANT
    done = await scene.submitted(wait=20)
    assert (done.status, done.conclusion) == (Status.SUCCEEDED, Conclusion.CREATED)
    assert [warning.code for warning in done.warnings] == ["NoTenant"]
    assert "contoso.com" in done.warnings[0].message
    assert "one-time passcode" in str(done.warnings[0].action)
    for source in (domain_source("fabrikam.com"), FEDERATION):
        other = await scene.submitted(wait=20, identitySources=[source])
        assert (other.status, other.warnings) == (Status.SUCCEEDED, ())


async def test_the_warning_alone_does_not_have_an_update_made_again(scene: Scene) -> None:
    first = await scene.submitted(wait=20)
    assert (await scene.submitted(wait=20, ifExists="update")).id == first.id


async def test_where_only_tenants_may_be_connected_other_domains_are_refused(scene: Scene) -> None:
    scene.services = replace(scene.services, policy=Policy(tenant_only=True))
    scene.graph.tenant_of_domain["fabrikam.com"] = CONTOSO_TENANT
    refused = await scene.submitted(wait=20)
    assert refused.last_error is not None
    assert (refused.status, refused.last_error.code) == (Status.FAILED, "RefusedByPolicy")
    assert "tenantOnly" in refused.last_error.message
    for source in (domain_source("fabrikam.com"), FEDERATION):
        done = await scene.submitted(wait=20, identitySources=[source])
        assert done.status is Status.SUCCEEDED
    forecast = await dry_run(scene.services, request(), "http")
    assert forecast.prospect is Prospect.REFUSED


async def test_where_only_tenants_may_be_connected_and_none_can_be_looked_up_all_wait(
    scene: Scene,
) -> None:
    scene.services = replace(scene.services, policy=Policy(tenant_only=True))
    scene.graph.may_look_up_tenants = False
    waiting = await scene.submitted(wait=20)
    assert waiting.last_error is not None
    assert (waiting.status, waiting.last_error.code) == (Status.WAITING, "PermissionMissing")
    assert not scene.graph.stored
    assert (await scene.services.throttle.gate()).blocked is None, "others go on"
