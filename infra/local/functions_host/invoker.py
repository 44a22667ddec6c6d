"""One invocation: its id, its trace context, its lines in the log, and its time limit."""

import asyncio
import logging
import os
import re
import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field

from infra.local.functions_host import worker
from infra.local.functions_host.definition import Function

log = logging.getLogger("host")

TIMED_OUT_EXIT_CODE = 124
WATCH_SECONDS = 0.2
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})")


@dataclass
class Invoker:
    """Runs functions in the worker. A time limit of None means none (seconds)."""

    timeout: float | None
    _deadlines: dict[str, tuple[str, float]] = field(default_factory=dict)
    _running: set[asyncio.Task[worker.Result]] = field(default_factory=set)

    def watch_deadlines(self) -> None:
        """From now on end the process when a function takes longer than `functionTimeout`.

        On Azure the host kills the worker process, and all that runs in it, even if one function
        blocks the event loop: hence a thread. Differs: there the host itself stays and fails that
        one invocation; here the process ends, so a message comes back when its lease runs out.
        """
        if self.timeout is not None:
            threading.Thread(target=self._end_when_overdue, daemon=True).start()

    async def run(
        self, function: Function, call: worker.Call, traceparent: str = ""
    ) -> worker.Result:
        """Run the function to its end, even if the caller goes away."""
        task = asyncio.create_task(self._run(function, call, traceparent))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def finished(self) -> None:
        """Wait for all that runs."""
        if self._running:
            await asyncio.wait(self._running)

    async def _run(self, function: Function, call: worker.Call, traceparent: str) -> worker.Result:
        invocation_id = str(uuid.uuid4())
        log.info("%s started (%s)", function.name, invocation_id)
        started = time.monotonic()
        if self.timeout is not None:
            self._deadlines[invocation_id] = (function.name, started + self.timeout)
        try:
            context = continued(traceparent)
            result = await worker.invoke(function, call, invocation_id, context)
        except asyncio.CancelledError:
            result = worker.Result(ok=False, error="The function was cancelled.")
        finally:
            self._deadlines.pop(invocation_id, None)
        milliseconds = round(1000 * (time.monotonic() - started))
        if result.ok:
            log.info("%s succeeded (%s, %d ms)", function.name, invocation_id, milliseconds)
        else:
            detail = (function.name, invocation_id, milliseconds, result.error)
            log.error("%s failed (%s, %d ms)\n%s", *detail)
        return result

    def _end_when_overdue(self) -> None:
        while True:
            time.sleep(WATCH_SECONDS)
            now = time.monotonic()
            for invocation_id, (name, deadline) in list(self._deadlines.items()):
                if now > deadline:
                    log.critical(
                        "%s took longer than the functionTimeout of %g s (%s): this process ends, "
                        "with all that runs in it.",
                        *(name, self.timeout, invocation_id),
                    )
                    os._exit(TIMED_OUT_EXIT_CODE)


def continued(traceparent: str) -> str:
    """The trace context of an invocation: the caller's trace with the host's own span in it.

    Without a valid `traceparent` (W3C Trace Context, version 00) a trace begins here.
    """
    match = TRACEPARENT.fullmatch(traceparent)
    trace, flags = match.groups() if match else (secrets.token_hex(16), "00")
    return f"00-{trace}-{secrets.token_hex(8)}-{flags}"
