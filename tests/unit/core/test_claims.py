"""Who joins an onboarding sees what it comes to, and of the request their own."""

from datetime import UTC, datetime
from typing import Any

from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.contract.organization import ConnectedOrganization, Difference
from connorg.core.domain.claims import seen_by
from tests.unit.partners import request

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADA, BOB = "ada@contoso.com", "bob@contoso.com"
ORGANIZATION = ConnectedOrganization(
    id="1", display_name="Contoso", description="A partner", state="configured"
)


def warning(sponsor: str) -> OnboardingError:
    return OnboardingError(code="SponsorNotAdded", message=f"{sponsor.title()} is not known.")


def lacked(sponsor: str) -> Difference:
    return Difference(attribute="internalSponsors", requested=sponsor)


def holder(**changes: Any) -> Onboarding:
    asked = request(internalSponsors=[ADA, BOB], reference="INC0042", description="Secret")
    return Onboarding(
        id=f"{'0' * 24}-{'1' * 32}",
        status=Status.SUCCEEDED,
        channel="http",
        request=asked,
        reference=asked.reference,
        result=ORGANIZATION,
        differences=(Difference(attribute="description", requested="Secret"), lacked(ADA)),
        warnings=(warning(ADA), warning(BOB)),
        created_date_time=NOW,
        last_action_date_time=NOW,
        give_up_date_time=NOW,
    ).model_copy(update=changes)


def test_who_joins_sees_their_own_request_and_nobody_elses() -> None:
    own = request(internalSponsors=[BOB], reference="INC0077", displayName="Fabrikam")
    seen = seen_by(holder(), own)
    assert (seen.id, seen.status, seen.result) == (holder().id, Status.SUCCEEDED, ORGANIZATION)
    assert (seen.request, seen.reference) == (own, "INC0077")
    assert seen.differences == (
        Difference(attribute="displayName", requested="Fabrikam", actual="Contoso"),
    )
    assert seen.warnings == (warning(BOB),)
    assert not [word for word in ("ada@", "Ada@", "INC0042", "Secret") if word in str(seen.view())]


def test_who_joins_what_is_under_way_sees_their_own_request() -> None:
    seen = seen_by(holder(status=Status.WAITING, result=None, differences=()), request())
    assert (seen.request, seen.reference, seen.warnings) == (request(), None, ())


def test_who_asks_for_the_same_sees_it_as_it_is() -> None:
    asked = request(internalSponsors=[ADA, BOB], reference="INC0042", description="Secret")
    for same in (asked, asked.model_copy(update={"callback_url": "https://a.example/"})):
        assert seen_by(holder(), same) == holder()
