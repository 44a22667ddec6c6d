"""What a call may change, and the role that an Entra caller needs for it."""

from collections.abc import Mapping
from enum import StrEnum


class Effect(StrEnum):
    PROPOSE = "propose"
    """A partner is noted in Entra, and can be granted nothing yet."""
    CONNECT = "connect"
    CHANGE = "change"
    """Attributes of an organization that exists."""
    SPONSOR = "sponsor"
    """The people who are responsible for an existing organization."""
    DELETE = "delete"
    REPLAY = "replay"
    CANCEL = "cancel"
    FORGET = "forget"
    """What connorg keeps of a partner is erased."""


class Role(StrEnum):
    """App roles that an Entra caller needs. Function keys have no roles: a key opens all
    but deletes, which need the master key."""

    SUBMIT = "Onboarding.Submit"
    READ = "Onboarding.Read"
    MANAGE = "Onboarding.Manage"
    DELETE = "Onboarding.Delete"


ROLES: Mapping[Effect, Role] = {
    Effect.PROPOSE: Role.SUBMIT,
    Effect.CONNECT: Role.SUBMIT,
    Effect.CHANGE: Role.MANAGE,
    Effect.SPONSOR: Role.MANAGE,
    Effect.DELETE: Role.DELETE,
    Effect.REPLAY: Role.MANAGE,
    Effect.CANCEL: Role.MANAGE,
    Effect.FORGET: Role.DELETE,
}
"""Over HTTP, a batch too. What another channel may do is said by `core.policy.ways_in`."""
