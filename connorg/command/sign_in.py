"""Who calls: the holder of a function key, or a user who signed in to Entra."""

import base64
import binascii
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx

from connorg.command.ending import CommandError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


class FunctionKey(httpx.Auth):
    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        request.headers["x-functions-key"] = self._key
        yield request


class EntraToken(httpx.Auth):
    """A token for the app: of a pipeline's identity, of `az login`, or from the browser."""

    def __init__(self, scope: str) -> None:
        self._scope = scope
        self._credential = _credential()

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        request.headers["authorization"] = f"Bearer {self.token()}"
        yield request

    def token(self) -> str:
        """Return a token that is valid now: the credential keeps one. Raise CommandError."""
        from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415  an extra

        try:
            return self._credential.get_token(self._scope).token
        except ClientAuthenticationError as error:
            reason = str(error.message).partition("\n")[0]
            raise CommandError(
                f"You could not be signed in: {reason}",
                "Run `az login`, and try again. What the app registration needs:"
                " `connorg login --help`.",
            ) from None

    def claims(self) -> dict[str, Any]:
        """Return what the token says of the caller. It is not verified: it gives no access."""
        try:
            content = self.token().split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
        except (IndexError, ValueError, binascii.Error):
            return {}
        return claims if isinstance(claims, dict) else {}


def _credential() -> "TokenCredential":
    try:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415  an extra
    except ImportError:
        raise CommandError(
            "To sign in to Entra, the package azure-identity is needed.",
            "Install connorg with its extra `entra`: pipx install 'connorg[entra] @ ADDRESS', or"
            " uvx --from 'connorg[entra] @ ADDRESS' connorg …",
        ) from None
    return DefaultAzureCredential(exclude_interactive_browser_credential=False)
