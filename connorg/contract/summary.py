"""What a summary of onboardings answers."""

from datetime import datetime

from connorg.contract.model import Model


class CodeCount(Model):
    code: str
    """Of the last error of onboardings that failed or wait."""
    count: int
    action: str | None = None
    """What to do about it."""
    example: str
    """The newest onboarding with it."""


class HourCount(Model):
    hour: datetime
    accepted: int
    succeeded: int
    """Of those that were accepted in this hour."""
    failed: int


class GateView(Model):
    open: bool
    """Whether Microsoft Graph may be called now."""
    until: datetime | None = None
    """When it opens."""
    reason: str | None = None
    action: str | None = None


class Summary(Model):
    total: int
    by_status: dict[str, int]
    by_code: tuple[CodeCount, ...]
    """The most frequent first."""
    by_channel: dict[str, int]
    by_hour: tuple[HourCount, ...]
    """The latest 168 hours in which any was accepted, oldest first."""
    gate: GateView
