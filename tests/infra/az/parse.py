"""Hear the Azure CLI's own parser on commands: python parse.py < list, where `azure-cli` is.

Each line of the list is JSON: where a command stands, and its words after `az`. Nothing is run:
each is stopped once its options and values are understood. What is not goes to standard output.
"""

import contextlib
import io
import json
import sys
from typing import Any, NoReturn

from azure.cli.core import get_default_cli
from knack.events import EVENT_INVOKER_POST_PARSE_ARGS
from knack.util import CLIError


class _UnderstoodError(Exception):
    """The parser took the command."""


def main() -> int:
    faults = 0
    lines = [json.loads(line) for line in sys.stdin]
    for place, words in lines:
        if fault := fault_of(words):
            faults += 1
            print(f"{place}: az {' '.join(words)}\n    {fault}")  # noqa: T201
    print(f"az: {len(lines)} commands, {faults} not understood")  # noqa: T201
    return 1 if faults or not lines else 0


def fault_of(words: list[str]) -> str | None:
    cli = get_default_cli()
    cli.register_event(EVENT_INVOKER_POST_PARSE_ARGS, _stop)
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told):
            invoker = cli.invocation_cls(
                cli_ctx=cli,
                parser_cls=cli.parser_cls,
                commands_loader_cls=cli.commands_loader_cls,
                help_cls=cli.help_cls,
            )
            cli.invocation = invoker
            invoker.execute(words)
    except _UnderstoodError:
        return None
    except CLIError as error:
        return str(error)
    except SystemExit:
        return told.getvalue().strip() or "it is not understood"
    return "it was not stopped"


def _stop(*_: Any, **__: Any) -> NoReturn:
    raise _UnderstoodError


if __name__ == "__main__":
    sys.exit(main())
