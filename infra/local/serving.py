"""How each server of the local stack listens: on loopback alone, and telling its starter where."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from infra.local.child import LOOPBACK


async def serve(
    app: web.Application,
    port: int,
    announce: Mapping[str, str] | None = None,
    ended: asyncio.Event | None = None,
    finish: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM on 127.0.0.1:port (0: any free port).

    As soon as requests are answered, one line of JSON goes to standard output:
    ``{"url": "http://127.0.0.1:…", **announce}``. The process that started this one waits for it.

    The event `ended` ends it too: new connections are refused at once, and `finish` is awaited
    before those that are open are closed.

    Raise OSError when the port is taken.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    ended = ended or asyncio.Event()
    try:
        site = web.TCPSite(runner, LOOPBACK, port)
        await site.start()
        bound_port = runner.addresses[0][1]
        ready = {"url": f"http://{LOOPBACK}:{bound_port}", **(announce or {})}
        print(json.dumps(ready), flush=True)  # noqa: T201
        stop = asyncio.create_task(_stop_signal())
        end = asyncio.create_task(ended.wait())
        await asyncio.wait([stop, end], return_when=asyncio.FIRST_COMPLETED)
        if ended.is_set() and finish:
            await site.stop()
            await finish()
    finally:
        await runner.cleanup()


async def _stop_signal() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
