"""python -m infra.local.functions_host --port N [--app DIR]"""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from infra.local.functions_host import STOPPED_BY_STORAGE_EXIT_CODE, worker
from infra.local.functions_host.definition import WARM_UP, CannotStartError, HostInErrorError
from infra.local.functions_host.host import Host, front_in_error
from infra.local.functions_host.host_json import HostOptions, read_host_json
from infra.local.functions_host.keys import Keys
from infra.local.serving import serve

log = logging.getLogger("host")

LOG_FORMAT = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"
# One line for each poll of a queue, and more.
NOISY = ("azure.core.pipeline", "azure.functions")
INTERRUPTED_EXIT_CODE = 130


def main() -> None:
    arguments = _arguments()
    code = 1
    try:
        code = asyncio.run(_run(arguments.app.resolve(), arguments.port))
    except CannotStartError as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
    except OSError as fault:
        print(f"Cannot listen on port {arguments.port}: {fault}", file=sys.stderr)  # noqa: T201
    except KeyboardInterrupt:
        code = INTERRUPTED_EXIT_CODE
    except SystemExit:
        log.critical("A function has ended the process, with all that runs in it.")
    except Exception:
        log.exception("The host has ended by a fault of its own")
    finally:
        _leave(code)


async def _run(app: Path, port: int) -> int:
    """Start in the order of the real host, and serve until told to stop; the exit code.

    Like the real one, a host that is in error continues, and says so when it is asked.
    """
    keys = Keys.read(os.environ)
    announced = {"key": keys.host[0]}
    try:
        options = read_host_json(app)
        _set_up_logging(options.log_level)
        return await _serve_app(app, port, options, keys)
    except HostInErrorError as fault:
        _set_up_logging("INFO")
        log.critical("The host is in error: %s", fault)
        front = front_in_error(fault, keys, os.environ)
        await serve(front.application(), port, announce=announced)
        return 0


async def _serve_app(app: Path, port: int, options: HostOptions, keys: Keys) -> int:
    """Warm up before the first request, then serve all.

    When storage refuses a queue's call, new connections are refused at once, what runs is finished,
    and the process ends.
    """
    refused = asyncio.Event()

    def fail(reason: str) -> None:
        log.critical("An unhandled exception has occurred. Host is shutting down. %s", reason)
        refused.set()

    host = Host(await worker.index(app), options, keys, os.environ, fail)
    host.invoker.watch_deadlines()
    await _warm_up(host)

    async def finish() -> None:
        await asyncio.gather(*(pump.stop() for pump in host.pumps))
        await host.invoker.finished()

    serving = asyncio.create_task(
        serve(
            host.front.application(),
            port,
            announce={"key": keys.host[0]},
            ended=refused,
            finish=finish,
        )
    )
    parts = {
        serving,
        *(asyncio.create_task(pump.run()) for pump in host.pumps),
        *(asyncio.create_task(timer.run()) for timer in host.timers),
    }
    # Serving ends when the host is told to stop, a pump when storage refuses. Nothing else ends but
    # by a fault of its own.
    while not serving.done():
        ended, parts = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        for part in ended:
            part.result()
    return STOPPED_BY_STORAGE_EXIT_CODE if refused.is_set() else 0


async def _warm_up(host: Host) -> None:
    """A warm-up that fails is in the log and nowhere else: the instance takes traffic anyway."""
    for function in host.functions:
        if function.kind == WARM_UP:
            await host.invoker.run(function, worker.Call(""))


def _set_up_logging(level: str) -> None:
    """The worker's way: a handler on the root logger, and level INFO, before the app is imported.

    What is shown of that is for host.json to say (logging.logLevel.default).
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(level)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, handlers=[handler])
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.local.functions_host", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0: any free port")
    parser.add_argument("--app", type=Path, default=Path(), help="where function_app.py is")
    return parser.parse_args()


def _leave(code: int) -> None:
    """At once, as a host that is told to stop: there is no shutdown hook, and no thread is awaited.

    So functions that are running end in the middle.
    """
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
