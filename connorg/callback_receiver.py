"""The Receiver over HTTP: it connects only to addresses that were checked."""

import socket
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cached_property

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from connorg.core.policy.callback_urls import is_public, local_hosts

type Resolve = Callable[[str, int, socket.AddressFamily], Awaitable[list[ResolveResult]]]

_PATIENCE = ClientTimeout(total=15)  # seconds, from the lookup of the name to the status


class NotPublicError(OSError):
    """The host's name has an address that is not on the public internet."""


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses only, and the local hosts that the list names.

    The connection is made to what this gives: no second lookup could give something else.
    """

    def __init__(self, hosts: Collection[str], resolve: Resolve) -> None:
        self._local = local_hosts(hosts)
        self._resolve = resolve

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolve(host, port, family)
        if host not in self._local and not all(is_public(one["host"]) for one in found):
            raise NotPublicError
        return found

    async def close(self) -> None:
        """Nothing is kept."""


class HttpReceiver:
    """See ports.Receiver. Addresses that are no names are not looked up: check them before."""

    def __init__(self, hosts: Collection[str], resolve: Resolve | None = None) -> None:
        self._hosts = hosts
        self._resolve = resolve

    async def post(self, address: str, headers: Mapping[str, str], body: bytes) -> int | str:
        try:
            # Unchanged: a signature in it may cover its exact spelling.
            url = URL(address, encoded=True)
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status  # nobody needs its body, so that it is not even read
        except (ClientError, OSError, ValueError) as error:
            return type(error).__name__  # its text holds the address

    @cached_property
    def _session(self) -> ClientSession:
        """Made by the first callback of the process, in its event loop."""
        resolve = self._resolve or ThreadedResolver().resolve
        return ClientSession(
            connector=TCPConnector(
                resolver=PublicResolver(self._hosts, resolve), use_dns_cache=False
            ),
            cookie_jar=DummyCookieJar(),
            timeout=_PATIENCE,
        )
