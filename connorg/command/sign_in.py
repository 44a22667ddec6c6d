"""Who calls: the holder of a function key, or somebody signed in at Entra."""

from collections.abc import Iterator

import httpx
from azure.core.exceptions import ClientAuthenticationError

from connorg.command.ending import CommandError


class FunctionKey(httpx.Auth):
    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        request.headers["x-functions-key"] = self._key
        yield request


class EntraToken(httpx.Auth):
    """A token for the app: of a pipeline's identity, of `az login`, or from the browser."""

    def __init__(self, scope: str) -> None:
        # Holders of a key need not wait for it.
        from azure.identity import (  # noqa: PLC0415
            DefaultAzureCredential,
            get_bearer_token_provider,
        )

        credential = DefaultAzureCredential(exclude_interactive_browser_credential=False)
        # It keeps the token, and gets a new one before the old one ends.
        self._token = get_bearer_token_provider(credential, scope)

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        try:
            request.headers["authorization"] = f"Bearer {self._token()}"
        except ClientAuthenticationError as error:
            reason = str(error.message).partition("\n")[0]
            raise CommandError(
                f"You could not be signed in: {reason}", "Run `az login`, and try again."
            ) from None
        yield request
