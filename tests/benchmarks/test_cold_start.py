"""What a cold start may not lose again: nothing here depends on how fast the machine is."""

import asyncio
import os
import subprocess
import sys

import pytest
from aiohttp import web

from infra.local.child import LOOPBACK, ROOT, tethered
from infra.local.identity import create_app
from infra.local.tokens import LOCAL_IDENTITY_HEADER

# Storage and a Graph that nobody answers for.
_NOBODY = {
    "AzureWebJobsStorage__accountName": "nobody",
    "CONNORG_GRAPH_ROOT": f"http://{LOOPBACK}:9",
}

_FIRST_REQUEST = """
import asyncio
from connorg.wiring import services

async def arm():
    services()
    await asyncio.Event().wait()  # storage does not answer

asyncio.run(arm())
"""

_COLLECTED = """
import asyncio, gc
import function_app
from connorg.wiring import services

async def build():
    services()

asyncio.run(build())
assert gc.get_freeze_count() > len(gc.get_objects())
"""


@pytest.mark.slow
async def test_the_token_is_fetched_while_storage_is_being_armed() -> None:
    asked = asyncio.Event()
    app = create_app()

    async def note(_: web.Request, __: web.StreamResponse) -> None:
        asked.set()

    app.on_response_prepare.append(note)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        await _first_request_until(asked, runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _first_request_until(asked: asyncio.Event, port: int) -> None:
    settings = {
        **_NOBODY,
        "IDENTITY_ENDPOINT": f"http://{LOOPBACK}:{port}/msi/token",
        "IDENTITY_HEADER": LOCAL_IDENTITY_HEADER,
    }
    process = await asyncio.create_subprocess_exec(
        *tethered([sys.executable, "-c", _FIRST_REQUEST]), cwd=ROOT, env={**os.environ, **settings}
    )
    ended = asyncio.create_task(process.wait())
    seen = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({ended, seen}, timeout=90, return_when=asyncio.FIRST_COMPLETED)
        assert asked.is_set()
    finally:
        if process.returncode is None:
            process.kill()
        await ended
        seen.cancel()


@pytest.mark.slow
def test_a_collection_does_not_walk_through_what_was_imported() -> None:
    """A full one stopped the process for a tenth of a second, and calls to Graph then bunched."""
    run = tethered([sys.executable, "-c", _COLLECTED])
    subprocess.run(run, cwd=ROOT, check=True, env={**os.environ, **_NOBODY}, timeout=90)


def test_the_first_create_imports_none_of_the_sdk_models_that_it_can_do_without() -> None:
    """Some 1,200 modules, which cost the obvious function more than all else together."""
    code = (
        "import function_app, sys; from connorg.graph import gateway, sender, client, bodies;"
        "print(*[n for n in sys.modules if n.startswith('msgraph.generated')])"
    )
    run = tethered([sys.executable, "-c", code])
    done = subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True)
    assert len(done.stdout.split()) < 40
