"""The local stack: storage, Graph, managed identity and the functions, on this machine alone.

`run` is for people. `up` is for programs: it prints addresses, and the log on standard error.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from infra.local.by_hand import LOG, usual_port, welcome
from infra.local.child import ROOT, DidNotStartError
from infra.local.moods import CALM, MOODS
from infra.local.stack import (
    FUNCTIONS,
    PARTS,
    STORAGE,
    Options,
    Stack,
    print_addresses,
    run,
    say,
)

LAST_PORT = 65_535
PORT_HELP = {
    **dict.fromkeys(PARTS, "0 (the default) is any free one"),
    STORAGE: "of blob; queue and table take the next two. 0 (the default) is any free ones",
}


def main(arguments: list[str] | None = None) -> int:
    return asyncio.run(_until_stopped(*options_of(arguments)))


async def _until_stopped(options: Options, is_up: Callable[[Stack], Awaitable[None]]) -> int:
    stack = asyncio.create_task(run(options, is_up))

    def stop() -> None:
        if not stack.cancelling():  # a second signal must not cut the orderly end short
            stack.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    if options.log:
        say("Starting storage, Graph, managed identity and the functions …", sys.stdout)
    try:
        await stack
    except asyncio.CancelledError:
        return 0
    except DidNotStartError as failure:
        say(str(failure))
        return 1
    return 0


def options_of(
    arguments: list[str] | None,
) -> tuple[Options, Callable[[Stack], Awaitable[None]]]:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command")
    up = commands.add_parser("up", help="start it and keep it up, for a program")
    by_hand = commands.add_parser("run", help="start it and keep it up, for a person")
    by_hand.add_argument(
        "--graph",
        choices=MOODS,
        default=CALM,
        help="; ".join(f"{name}: it {mood.means}" for name, mood in MOODS.items()),
    )
    for command in (up, by_hand):
        _add_options(command)
    chosen = parser.parse_args(arguments)
    parts = frozenset(chosen.only or PARTS)
    ports = {part: getattr(chosen, f"{part}_port") for part in PARTS}
    unknown = [part for part in PARTS if part not in parts and not ports[part]]
    unknown = [part for part in unknown if part != FUNCTIONS]
    if unknown and (FUNCTIONS in parts or chosen.local_settings):
        needed = ", ".join(f"--{part}-port" for part in unknown)
        parser.error(f"the functions need {needed}, of parts that --only leaves out")
    log, is_up = None, print_addresses
    if chosen.command == "run":
        log, is_up = LOG, partial(welcome, chosen.graph, LOG)
        ports[FUNCTIONS] = ports[FUNCTIONS] or usual_port()
    options = Options(
        parts=parts,
        ports=ports,
        data=chosen.data and chosen.data.absolute(),
        ready=chosen.ready and chosen.ready.absolute(),
        local_settings=chosen.local_settings and chosen.local_settings.absolute(),
        log=log,
        settings=dict(chosen.setting),
        app=chosen.app.absolute(),
    )
    return options, is_up


def _add_options(up: argparse.ArgumentParser) -> None:
    for part in PARTS:
        up.add_argument(f"--{part}-port", type=_port, default=0, metavar="N", help=PORT_HELP[part])
    up.add_argument("--data", type=Path, metavar="DIR", help="keep storage there, not in memory")
    up.add_argument("--ready", type=Path, metavar="FILE", help="written when all answer, as JSON")
    up.add_argument(
        "--local-settings",
        type=Path,
        metavar="FILE",
        help="write a local.settings.json, with which Core Tools (func start) runs the functions",
    )
    up.add_argument(
        "--setting",
        type=_setting,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an environment variable of the functions; may be repeated",
    )
    up.add_argument(
        "--app",
        type=Path,
        default=ROOT,
        metavar="DIR",
        help="run the functions of this folder; a package's with nothing but what it brings",
    )
    up.add_argument(
        "--only",
        choices=PARTS,
        action="append",
        help="start this part alone; may be repeated. The functions need the ports of the others",
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value
