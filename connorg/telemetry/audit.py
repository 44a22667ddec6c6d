"""The audit: a line in the log, and a count, for every change that was asked for.

No line holds a name, an address, a key or a token.
"""

import logging
from dataclasses import dataclass

from opentelemetry import metrics

from connorg.contract.effects import Effect
from connorg.telemetry import names

_log = logging.getLogger(f"{names.SCOPE}.audit")
_changes = metrics.get_meter(names.SCOPE).create_counter(names.CHANGES, "{change}")
NOBODY = "nobody"
"""Where no role was required."""
_FIRST_REFUSAL, _FIRST_FAULT = 400, 500  # of HTTP's statuses


@dataclass(frozen=True)
class Change:
    effect: Effect
    subject: str
    """The id of an onboarding, a batch or an organization."""
    by: str
    """An object id in Entra, `key`, or a channel."""
    channel: str
    role: str
    """The role that was required, or NOBODY."""
    status: int
    """The HTTP status of the answer."""
    code: str = ""
    """The code of the problem, where it was refused."""


def audit(change: Change) -> None:
    """Log and count a change that was made or refused."""
    # infra/queries/audit.kql reads it by these words.
    _log.info(
        "audit: %s of %s by %s over %s as %s: %s",
        change.effect,
        change.subject,
        change.by,
        change.channel,
        change.role,
        f"{change.status} {change.code}".rstrip(),
    )
    status = change.status
    done = "done" if status < _FIRST_REFUSAL else "refused" if status < _FIRST_FAULT else "failed"
    _changes.add(1, {names.EFFECT: change.effect.value, names.OUTCOME: done})
