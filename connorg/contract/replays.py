"""What a replay of all failed onboardings that match answers."""

from connorg.contract.model import Model


class NotReplayed(Model):
    id: str
    reason: str
    see: str | None = None
    """The onboarding that stands in the way."""


class Replays(Model):
    dry_run: bool
    replayed: tuple[str, ...]
    not_replayed: tuple[NotReplayed, ...]
