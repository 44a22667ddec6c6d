"""What was tried for an onboarding, when, and what came of it: its last steps, oldest first."""

from datetime import datetime
from enum import StrEnum

from pydantic import ConfigDict

from connorg.contract.model import Model

MOST_STEPS = 20
"""How many an onboarding keeps. The oldest go first."""
_LONGEST_TEXT = 120  # characters; so 20 steps stay below a third of what a column may hold


class Step(StrEnum):
    ACCEPTED = "accepted"
    ATTEMPT = "attempt"
    LOOKED_UP = "lookedUp"
    CREATED = "created"
    EXISTING = "existing"
    UPDATED = "updated"
    SPONSOR = "sponsor"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REPLAYED = "replayed"
    CANCELED = "canceled"
    JOINED = "joined"
    DELETED = "deleted"


class HistoryEntry(Model):
    # No state, only what is shown: what a newer version adds may be lost.
    model_config = ConfigDict(extra="ignore")

    date_time: datetime
    step: str
    """A Step; of a newer version also one that this version does not know."""
    outcome: str
    """The result, in a few words."""
    code: str | None = None
    """An error code, as in `lastError`."""
    graph_status: int | None = None
    """The HTTP status that Microsoft Graph answered with."""
    graph_request_id: str | None = None
    """The request id that Microsoft's support asks for."""
    by: str | None = None
    """Who requested it: an object id in Entra, `key` for a function key, or a channel."""


def bounded(text: str) -> str:
    """Return a text as a step may hold it: short, and without what JSON writes as an escape."""
    return "".join(c for c in text[:_LONGEST_TEXT] if c.isprintable() and c not in '"\\')
