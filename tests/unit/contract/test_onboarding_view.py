"""What callers see of an onboarding is listed; what is added to the record is not shown."""

from datetime import UTC, datetime

from connorg.contract.onboarding import Onboarding, OnboardingView, Status
from tests.unit.partners import request

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)

SHOWN = {
    "id",
    "status",
    "source",
    "request",
    "reference",
    "attempts",
    "conclusion",
    "result",
    "differences",
    "warnings",
    "lastError",
    "nextAttemptDateTime",
    "createdDateTime",
    "lastActionDateTime",
    "deletedDateTime",
}
ALWAYS_SHOWN = [
    "id",
    "status",
    "request",
    "attempts",
    "lastError",
    "nextAttemptDateTime",
    "result",
    "reference",
    "createdDateTime",
    "lastActionDateTime",
]


def test_what_is_shown_is_listed() -> None:
    shown = {field.alias or name for name, field in OnboardingView.model_fields.items()}
    assert shown == SHOWN, (
        "Whether callers see a field is decided in connorg/contract/onboarding.py: a field of"
        " OnboardingView is shown, one of Onboarding is not. What is shown goes into this list and"
        ' into docs/http-status.md, "The onboarding".'
    )


def test_a_field_of_the_record_alone_is_not_shown() -> None:
    class Later(Onboarding):
        novelty: str = "of nobody else's business"

    of_the_record = {field.alias or name for name, field in Later.model_fields.items()} - SHOWN
    assert {"novelty", "leaseUntil", "giveUpDateTime"} <= of_the_record
    onboarding = Later(
        id="1-2",
        status=Status.NOT_STARTED,
        channel="http",
        request=request(),
        created_date_time=NOW,
        last_action_date_time=NOW,
        give_up_date_time=NOW,
        lease_until=NOW,
    )
    assert not of_the_record & onboarding.view().keys()
    assert "leaseUntil" in onboarding.model_dump(mode="json")


def test_the_status_monitor_shows_nulls_first_and_in_this_order() -> None:
    onboarding = Onboarding(
        id="1-2",
        status=Status.NOT_STARTED,
        channel="queue",
        created_date_time=NOW,
        last_action_date_time=NOW,
        give_up_date_time=NOW,
    )
    view = onboarding.view()
    assert [*view] == [*ALWAYS_SHOWN, "source", "differences", "warnings"]
    assert (view["request"], view["lastError"], view["source"]) == (None, None, "queue")
