"""The Azure CLI, which asks Azure as whoever is signed in."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any


class AzureCliError(Exception):
    """It did not answer; the text says why."""


class MissingError(AzureCliError):
    """What was asked for is not there."""


class AzureCli:
    """Asks in one subscription; None: the one that the Azure CLI takes by itself."""

    def __init__(self, subscription: str | None) -> None:
        self._where = ["--subscription", subscription] if subscription else []

    async def ask(self, *words: str) -> Any:
        """Return what a command answers as JSON. Raise AzureCliError."""
        return await _run([*words, *self._where, "--output", "json"])

    async def read(self, url: str, method: str = "get") -> Any:
        """Return what Azure Resource Manager has at a path, with its api-version.

        Raise AzureCliError.
        """
        return await _run(["rest", "--method", method, "--url", url, "--output", "json"])


async def _run(words: Sequence[str]) -> Any:
    try:
        running = await asyncio.create_subprocess_exec(
            "az",
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise AzureCliError("The Azure CLI (az) is not installed.") from error
    answer, told = await running.communicate()
    if running.returncode:
        text = _fault_in(told.decode(errors="replace"))
        raise (MissingError if "NotFound" in text else AzureCliError)(text)
    try:
        return json.loads(answer)
    except ValueError as error:
        raise AzureCliError("The Azure CLI did not answer with JSON.") from error


def _fault_in(told: str) -> str:
    """Return the line that says what is wrong, without the warnings before it."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "")
