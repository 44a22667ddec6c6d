"""What a call may change, by the name that the audit has for it."""

from enum import StrEnum


class Effect(StrEnum):
    CONNECT = "connect"
    """A partner is connected, or proposed."""
    CHANGE = "change"
    """Attributes of an organization that exists."""
    SPONSOR = "sponsor"
    """Who answers for an organization that exists."""
    DELETE = "delete"
    REPLAY = "replay"
    CANCEL = "cancel"
    FORGET = "forget"
    """What connorg keeps of a partner is erased."""
