"""The edge of functions without a waiting caller: the host logs what they raise, with its text."""

import functools
from collections.abc import Awaitable, Callable

from connorg.settings import ConfigurationError
from connorg.telemetry.unexpected import UnexpectedError


def unattended[**Given](
    function: Callable[Given, Awaitable[None]],
) -> Callable[Given, Awaitable[None]]:
    """Let a function raise what it likes; the host learns that it failed, and of what kind."""

    @functools.wraps(function)
    async def run(*given: Given.args, **named: Given.kwargs) -> None:
        try:
            await function(*given, **named)
        except ConfigurationError:
            raise  # it names settings, never what they hold
        except Exception as error:  # noqa: BLE001  its text may quote secrets
            raise UnexpectedError(error) from None

    return run
