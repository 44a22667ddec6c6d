"""The version of what outlives a process: messages on the queues and rows of the ledger.

The one place that decides what may be read. Raise VERSION when a field is added that may not be
lost, or when a name or meaning changes; code must go on reading every earlier version, and
tests/recorded holds what they wrote. Names that stay what they are in all versions: `version` and
`onboardingId` in a message, `Version` in a row.
"""

VERSION = 1
_FIRST = 1  # what carries no version was written before there was one


class NewerVersionError(Exception):
    """A newer version of connorg wrote it, and this one must leave it as it is."""


def check_version(version: object) -> None:
    """Raise NewerVersionError where code that is newer than this wrote it; None: no version."""
    known = _FIRST if version is None else version
    if isinstance(known, int) and known > VERSION:
        raise NewerVersionError(
            f"A newer version of connorg wrote it: {known}, and this one reads up to {VERSION}."
        )
