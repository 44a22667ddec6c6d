"""Granting rights so that a repeat does no harm: look what is missing, grant it, look again."""

import asyncio
import time
from collections.abc import Sequence

from infra.grant.entra import (
    AmbiguousError,
    Entra,
    EntraError,
    NotAllowedError,
    NotSignedInError,
    Principal,
    UnknownPrincipalError,
)
from infra.grant.rights import Right

_FIRST_PAUSE = 0.5  # seconds
_LONGEST_PAUSE = 15
_FINAL = (NotAllowedError, NotSignedInError, AmbiguousError)


class UnsettledError(Exception):
    """Something is still missing when the time is up. The text says what, and what Entra said."""


class Patience:
    """Entra's replicas learn of a new identity or right one after the other, up to minutes later.

    `seconds`: how long that is waited for; 0: one look.
    """

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._pause = _FIRST_PAUSE

    async def lasts(self) -> bool:
        """Wait a while, longer each time; False: it has come to an end."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            return False
        await asyncio.sleep(min(self._pause, left))
        self._pause = min(_LONGEST_PAUSE, self._pause * 2)
        return True


async def find(
    entra: Entra, principal_id: str | None, name: str | None, patience: Patience
) -> Principal:
    """Find the identity, which may have been made a second ago. Raise EntraError."""
    while True:
        try:
            if name is not None:
                return await entra.named(name)
            return await entra.principal(principal_id or "")
        except _FINAL:
            raise
        except EntraError:
            if not await patience.lasts():
                raise


async def lacking(entra: Entra, principal: Principal, rights: Sequence[Right]) -> tuple[Right, ...]:
    held = await entra.held(principal.id, rights)
    return tuple(right for right in rights if right not in held)


async def settle(
    entra: Entra, principal: Principal, rights: Sequence[Right], patience: Patience
) -> None:
    """Grant what is missing and wait until Entra shows it.

    An answer that was lost, and a refusal because the right is there already, look alike in the
    end: the right is there. So neither is told apart from the other.

    Raise UnsettledError, and EntraError where no patience would help.
    """
    given: set[Right] = set()
    trouble = ""
    while True:
        try:
            missing = await lacking(entra, principal, rights)
            if not missing:
                return
            for right in missing:
                if right not in given:
                    await entra.assign(principal.id, right)
                    given.add(right)
        except _FINAL:
            raise
        except UnknownPrincipalError as error:
            trouble = f" Entra may not know the identity everywhere yet. {error}"
        except EntraError as error:
            trouble = f" {error}"
        if not await patience.lasts():
            raise UnsettledError(f"It could not be verified.{trouble} Run it again: that is safe.")
