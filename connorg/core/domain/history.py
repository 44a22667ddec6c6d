"""Steps of an onboarding, as they are written into its history."""

from datetime import datetime

from connorg.contract.history import MOST_STEPS, HistoryEntry, Step, bounded
from connorg.contract.onboarding import Onboarding, OnboardingError


def step(
    at: datetime,
    what: Step,
    outcome: str,
    error: OnboardingError | None = None,
    by: str | None = None,
) -> HistoryEntry:
    """Return a step. `error`: why it has that outcome."""
    request_id = error.graph_request_id if error else None
    return HistoryEntry(
        date_time=at,
        step=what,
        outcome=bounded(outcome),
        code=bounded(error.code) if error else None,
        graph_status=error.graph_status if error else None,
        graph_request_id=bounded(request_id) if request_id else None,
        by=bounded(by) if by else None,
    )


def remember(onboarding: Onboarding, *steps: HistoryEntry) -> Onboarding:
    """Return the onboarding with further steps. It keeps the last of them."""
    return onboarding.model_copy(update={"history": (*onboarding.history, *steps)[-MOST_STEPS:]})
