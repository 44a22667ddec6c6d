"""python -m infra.local.functions_host --port N [--app DIR]"""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from infra.local.functions_host import worker
from infra.local.functions_host.definition import TIMER, WARM_UP, CannotStartError, Function
from infra.local.functions_host.host_json import read_host_json
from infra.local.functions_host.http_front import HttpFront
from infra.local.functions_host.invoker import Invoker
from infra.local.functions_host.keys import Keys
from infra.local.functions_host.queues import create_pumps
from infra.local.functions_host.routing import Router
from infra.local.functions_host.timer import Timer
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
        asyncio.run(_run(arguments.app.resolve(), arguments.port))
        code = 0
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


async def _run(app: Path, port: int) -> None:
    """Start in the order of the real host: warm up before the first request, then serve all."""
    options = read_host_json(app)
    _set_up_logging(options.log_level)
    functions = await worker.index(app)
    invoker = Invoker(options.function_timeout)
    keys = Keys()
    pumps = create_pumps(functions, options.queues, invoker)
    timers = [Timer.of(function, invoker) for function in functions if function.kind == TIMER]
    front = HttpFront(Router(functions, options.route_prefix), invoker, keys, timers)
    invoker.watch_deadlines()
    await _warm_up(functions, invoker)
    parts = [
        asyncio.create_task(serve(front.application(), port, announce={"key": keys.function})),
        *(asyncio.create_task(pump.run()) for pump in pumps),
        *(asyncio.create_task(timer.run()) for timer in timers),
    ]
    # Serving ends when the host is told to stop. Nothing else ends but by a fault.
    ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    for part in ended:
        part.result()


async def _warm_up(functions: list[Function], invoker: Invoker) -> None:
    """A warm-up that fails is in the log and nowhere else: the instance takes traffic anyway."""
    for function in functions:
        if function.kind == WARM_UP:
            await invoker.run(function, worker.Call(""))


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
