"""What may be done by which way in: one table of effects and channels, for all of them.

| channel              | propose | connect | change, sponsor          | delete |
|----------------------|---------|---------|--------------------------|--------|
| `http`, `batch`      | yes     | yes     | yes                      | http   |
| `queue`, `webhook:…` | yes     | yes     | where `updates_from` has | no     |
| in `proposed_only`   | yes     | no      | no                       | no     |

Over HTTP the caller's role counts too: `contract.effects.ROLES`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase

from connorg.contract import channels
from connorg.contract.effects import Effect
from connorg.contract.requests import IfExists, OnboardingRequest, State

ON_STANDING = frozenset({Effect.CHANGE, Effect.SPONSOR, Effect.DELETE})
"""Effects on an organization that exists."""

_BY_CALLERS = frozenset({channels.HTTP, channels.BATCH})
_BEGINNINGS = frozenset({Effect.PROPOSE, Effect.CONNECT})
_UPDATES = frozenset({Effect.CHANGE, Effect.SPONSOR})


@dataclass(frozen=True)
class WaysIn:
    proposed_only: tuple[str, ...] = ()
    """Channels that may propose and nothing else, `*` for any ending; `http` covers `batch`."""
    updates_from: tuple[str, ...] = ()
    """Channels other than HTTP that `ifExists: update` is taken from."""

    def may_only_propose(self, channel: str) -> bool:
        covered = _BY_CALLERS if channel == channels.BATCH else {channel}
        return any(_is_named(name, self.proposed_only) for name in covered)

    def take(self, effect: Effect, channel: str) -> bool:
        """Return whether the channel may have the effect, for any caller."""
        if self.may_only_propose(channel):
            return effect is Effect.PROPOSE
        if effect in _BEGINNINGS:
            return True
        if effect in _UPDATES:
            return channel in _BY_CALLERS or _is_named(channel, self.updates_from)
        return channel == channels.HTTP


def effects_of(request: OnboardingRequest) -> frozenset[Effect]:
    """Return all that a request may come to, whatever is found in Graph."""
    effects = {Effect.PROPOSE if request.state is State.PROPOSED else Effect.CONNECT}
    if request.if_exists is IfExists.UPDATE:
        effects.add(Effect.CHANGE)
        if request.sponsorships:
            effects.add(Effect.SPONSOR)
    return frozenset(effects)


def _is_named(channel: str, entries: Collection[str]) -> bool:
    return any(fnmatchcase(channel, entry) for entry in entries)
