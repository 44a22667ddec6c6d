"""Changes of an organization that existed before, written to the audit when they are made.

The request may have come by any channel, and what it would change was not known then.
"""

from collections.abc import Iterator

from connorg.contract import channels
from connorg.contract.effects import ROLES, Effect
from connorg.contract.onboarding import Conclusion, Onboarding
from connorg.contract.sponsors import SponsorKind
from connorg.telemetry.audit import NOBODY, Change, audit

_DONE = 200
_BY_CALLERS = frozenset({channels.HTTP, channels.BATCH})


def audit_changes(before: Onboarding, after: Onboarding) -> None:
    """Leave a line for each effect that a step had. `before`: the onboarding at its begin."""
    for effect in _effects(before, after):
        channel = after.channel
        change = Change(
            effect,
            subject=after.result.id if after.result else after.id,
            by=_asker(after),
            channel=channel,
            role=ROLES[effect] if channel in _BY_CALLERS else NOBODY,
            status=_DONE,
        )
        audit(change)


def _effects(before: Onboarding, after: Onboarding) -> Iterator[Effect]:
    if after.conclusion is not Conclusion.UPDATED:
        return
    sponsors = {kind.value for kind in SponsorKind}
    if before.conclusion is None and any(
        found.attribute not in sponsors for found in after.differences
    ):
        yield Effect.CHANGE
    added = len(before.sponsors_to_add) - len(after.sponsors_to_add)
    refused = len(after.warnings) - len(before.warnings)
    if before.conclusion is not None and added > refused:
        yield Effect.SPONSOR


def _asker(onboarding: Onboarding) -> str:
    """Return who requested it last, as far as its history goes back; else the channel."""
    askers = [step.by for step in onboarding.history if step.by is not None]
    return askers[-1] if askers else onboarding.channel
