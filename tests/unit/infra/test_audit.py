"""The audit finds holes and secrets, and says so when it could not ask."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from infra.audit import NO_SECRETS, without_holes, without_secrets
from infra.local.child import ROOT

HOLE = {
    "id": "GHSA-made-up",
    "summary": "A hole",
    "affected": [
        {
            "package": {"name": "somebody", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
            "versions": ["1.0"],
        }
    ],
}


@pytest.fixture
def pins(tmp_path: Path) -> str:
    path = tmp_path / "requirements.txt"
    path.write_text(f"somebody==1.0 --hash=sha256:{'0' * 64}\n")
    return str(path)


@pytest.fixture(params=[[], [HOLE]], ids=["sound", "with a hole"])
async def advisories(request: pytest.FixtureRequest) -> AsyncIterator[tuple[list[Any], str]]:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"vulns": request.param} if request.param else {})

    app = web.Application()
    app.router.add_post("/v1/query", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield request.param, f"http://127.0.0.1:{server.port}/v1/query"


async def test_a_known_hole_fails_the_audit_and_is_named(
    pins: str, advisories: tuple[list[Any], str], capfd: pytest.CaptureFixture[str]
) -> None:
    holes, address = advisories
    service = ["--vulnerability-service", "osv", "--osv-url", address]
    assert await asyncio.to_thread(without_holes, pins, service) == (not holes)
    told = capfd.readouterr().out
    assert f"{len(holes)} known holes; the advisory service knows 1 of 1 packages" in told
    assert ("somebody 1.0 has GHSA-made-up; mended in: 1.1." in told) == bool(holes)


def test_without_a_network_it_says_so_and_does_not_fail(
    pins: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, but nobody listens
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        assert without_holes(pins, ["--vulnerability-service", "osv", "--osv-url", address])
    assert "can't be reached, so nothing was checked" in capfd.readouterr().out


def test_what_looks_like_a_secret_fails_the_audit_and_is_not_shown(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "hunter2-" + "kV9xQ2mLz7Rt4bYw"
    (tmp_path / "wiring.py").write_text(f'one = 1\npassword = "{secret}"\n')
    assert not without_secrets(["wiring.py"], tmp_path)
    told = capfd.readouterr().out
    assert "line 2" in told
    assert secret not in told


def test_each_exception_is_for_something_and_has_a_reason() -> None:
    for pattern, reason in NO_SECRETS.items():
        assert list(ROOT.glob(pattern)), pattern
        assert len(reason) > 10
