"""Which addresses may be called back, and where a connection may go."""

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult
from aiohttp.test_utils import TestServer

from connorg.callback_receiver import HttpReceiver, Resolve
from connorg.core.policy.callback_urls import LOGIC_APPS, callback_url_fault, is_public
from tests.cases import each

RUN = "/workflows/1/triggers/manual/run?sp=%2Ftriggers&sig=x_-y"
ANY_IP = ("127.0.0.2", "10.0.0.5", "169.254.169.254", "::1", "::ffff:10.0.0.5", "fd00::1")


@pytest.mark.parametrize(
    "address",
    [
        f"https://prod-03.westus.logic.azure.com:443{RUN}",
        f"https://PROD-03.westus.logic.azure.us{RUN}",
        "https://prod.chinanorth.logic.azure.cn",
    ],
)
def test_logic_apps_may_be_called(address: str) -> None:
    assert callback_url_fault(address, LOGIC_APPS) is None


REFUSED = (
    f"http://prod.logic.azure.com{RUN}",
    f"https://logic.azure.com{RUN}",
    f"https://prod.logic.azure.com.evil.example{RUN}",
    f"https://evillogic.azure.com{RUN}",
    f"https://prod.logic.azure.com:8443{RUN}",
    f"https://prod.logic.azure.com@evil.example{RUN}",
    f"https://evil@prod.logic.azure.com{RUN}",
    f"https://prod.logic.azure.com{RUN}#x",
    "https://evil.example\\.logic.azure.com/",
    "https://evil.example/.logic.azure.com",
    "https://evil.example?.logic.azure.com",
    "https://prod.logic.azure.com/a b",
    "https://prod.logic.azure.com/a\r\nHost: evil.example",
    "https://prod.logic.azure.com./",
    "https://prod\uff0elogic.azure.com/",
    "//prod.logic.azure.com/",
    "https:prod.logic.azure.com",
    "file:///etc/passwd",
    "https://localhost/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "",
)


def test_nothing_else_may_be_called_and_no_fault_repeats_the_address() -> None:
    for case in each(REFUSED):
        with case as address:
            fault = callback_url_fault(address, LOGIC_APPS)
            assert fault is not None
            assert fault.endswith(".")
            assert not address or address not in fault
            assert "evil" not in fault


@pytest.mark.parametrize("ip", ANY_IP)
def test_an_address_that_is_listed_must_be_public_all_the_same(ip: str) -> None:
    host = f"[{ip}]" if ":" in ip else ip
    assert callback_url_fault(f"https://{host}/", (ip,)) is not None


def test_a_local_host_may_be_called_where_it_is_named_and_not_by_a_star() -> None:
    assert callback_url_fault("http://127.0.0.1:8080/run", ("127.0.0.1",)) is None
    assert callback_url_fault("http://localhost:8080/run", ("localhost",)) is None
    assert callback_url_fault("http://127.0.0.1:8080/run", ("localhost", "*.0.0.1")) is not None


def test_where_there_is_no_list_nothing_may_be_called() -> None:
    fault = callback_url_fault("https://prod.logic.azure.com/", ())
    assert fault is not None
    assert "CONNORG_CALLBACK_SECRETS" in fault


@pytest.mark.parametrize("address", ["20.42.24.1", "2603:1030:c02::1"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


NOT_PUBLIC = (
    *ANY_IP,
    "0.0.0.0",
    "100.64.0.1",
    "168.63.129.16",
    "172.16.0.1",
    "192.168.1.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::10.0.0.5",
    "::ffff:20.42.24.1",
    "2002:0a00:0005::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "64:ff9b::a00:5",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "localhost",
)


def test_all_others_are_not() -> None:
    for case in each(NOT_PUBLIC):
        with case as address:
            assert not is_public(address)


@dataclass
class Server:
    """Answers whatever it is asked, and keeps what that was."""

    port: int = 0
    calls: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.calls.append(request.raw_path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    async with TestServer(app, host="127.0.0.1") as listening:
        server.port = listening.port or 0
        yield server


def resolving_to(*ips: str) -> Resolve:
    async def resolve(host: str, port: int, _: socket.AddressFamily) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=ip, port=port, family=socket.AF_INET, proto=0, flags=0
            )
            for ip in ips
        ]

    return resolve


async def test_a_name_that_stands_for_a_private_address_is_not_connected_to(
    server: Server,
) -> None:
    for ips in (["127.0.0.1"], ["20.42.24.1", "127.0.0.1"]):
        receiver = HttpReceiver(("partner.example",), resolving_to(*ips))
        address = f"http://partner.example:{server.port}/run"
        assert await receiver.post(address, {}, b"{}") == "ClientConnectorDNSError"
    assert server.calls == []


async def test_a_call_goes_where_the_name_was_resolved_to_and_follows_no_redirect(
    server: Server,
) -> None:
    receiver = HttpReceiver(("localhost",), resolving_to("127.0.0.1"))
    address = f"http://localhost:{server.port}{RUN}"
    assert await receiver.post(address, {}, b"{}") == 302
    assert server.calls == [RUN], "as it is spelt"


async def test_who_can_t_be_reached_is_told_by_a_word_without_the_address() -> None:
    receiver = HttpReceiver(("127.0.0.1",))
    for address in ("http://127.0.0.1:1/secret", "http://127.0.0.1:99999/secret"):
        answer = await receiver.post(address, {}, b"{}")
        assert isinstance(answer, str)
        assert answer.isidentifier()
