"""What a callback tells, and what a ticket says of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from tests.unit.partners import request

OUTCOMES: Mapping[str, str] = {
    "Succeeded": "Contoso & <Söhne> is connected (created).",
    "Failed": "Contoso & <Söhne> could not be connected. Graph refused it. Correct the domain.",
    "Waiting": "Contoso & <Söhne> is waiting. Graph refused it. Correct the domain.",
    "Canceled": "Contoso & <Söhne> was canceled.",
}


def view(status: str, reference: str = "RITM0010023") -> dict[str, Any]:
    """An onboarding as connorg shows it: the body of a callback."""
    now = datetime(2026, 7, 1, tzinfo=UTC)
    is_told_why = status in {"Failed", "Waiting"}
    error = OnboardingError(
        code="RefusedByGraph", message="Graph refused it.", action="Correct the domain."
    )
    return Onboarding(
        id="0" * 24 + "-" + "1" * 32,
        status=Status(status),
        request=request(displayName="Contoso & <Söhne>", reference=reference),
        reference=reference,
        channel="webhook:servicenow",
        created_date_time=now,
        last_action_date_time=now,
        give_up_date_time=now,
        attempts=1,
        conclusion=Conclusion.CREATED if status == "Succeeded" else None,
        last_error=error if is_told_why else None,
    ).view()
