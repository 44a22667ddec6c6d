"""The local Functions host as tests start it: a process that serves the sample app."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Self

import aiohttp
from azure.storage.queue.aio import QueueClient

from infra.local.child import ROOT, tethered

SAMPLE_APP = Path(__file__).parent / "sample_app"
# For machines under load. Nothing waits that long unless something is broken.
PATIENCE_SECONDS = 60


class Host:
    """`python -m infra.local.functions_host`, started when it is entered, ended when it is left."""

    def __init__(
        self,
        storage: str,
        settings: Mapping[str, str] | None = None,
        app: Path = SAMPLE_APP,
        port: str = "0",
    ) -> None:
        self._environment = {
            **os.environ,
            "AzureWebJobsStorage": storage,
            "WORK_QUEUE": unique("unused"),
            "TIMER_SCHEDULE": "0 0 0 1 1 *",
            **(settings or {}),
        }
        self._command = ["--port", port, "--app", str(app)]
        self._log = tempfile.NamedTemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.key = ""

    @property
    def log(self) -> str:
        return Path(self._log.name).read_text()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process
        return self._process

    def start(self) -> Self:
        """Start it, and wait until it announces itself or ends."""
        module = [sys.executable, "-m", "infra.local.functions_host"]
        self._process = subprocess.Popen(
            tethered([*module, *self._command]),
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=self._log.fileno(),
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        if line:
            announced = json.loads(line)
            self.url, self.key = announced["url"], announced["key"]
        return self

    async def ended(self) -> int:
        return await asyncio.to_thread(self.process.wait, PATIENCE_SECONDS)

    def stop(self) -> int:
        """Tell it to stop (SIGTERM); its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        assert self.url, f"the host did not start:\n{self.log}"
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        assert self.process.stdout
        self.process.stdout.close()
        self._log.close()

    async def records(self, function: str) -> list[dict[str, Any]]:
        """What the sample app's function has noted, call by call."""
        async with aiohttp.request("GET", f"{self.url}/api/records") as response:
            noted = await response.json()
        return [record for record in noted if record["function"] == function]


async def eventually(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await condition():  # noqa: ASYNC110 - another process fulfils it
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {PATIENCE_SECONDS} s") from None


async def is_empty(queue: QueueClient) -> bool:
    """No message is in the queue, be it visible or hidden."""
    return (await queue.get_queue_properties()).approximate_message_count == 0


def encoded(text: str) -> str:
    """As a message stands in a queue whose encoding is base64."""
    return base64.b64encode(text.encode()).decode()


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:12]}"
