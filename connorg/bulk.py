"""The old name of the command: `python -m connorg.bulk FILE`. It goes with the next release.

It takes its options, ends with its exit codes, and runs what is `connorg` now.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence

from connorg.command.commands import run
from connorg.command.ending import ExitCode
from connorg.command.session import written

_NAME = "python -m connorg.bulk"
_CODES = {ExitCode.FAULT: 2, ExitCode.LEFT: 1}
"""What ends with 1 today ended with 2 here, and the other way round."""


def main(arguments: Sequence[str]) -> int:
    code = 0
    for words in commands(arguments):
        shown = words[: words.index("--key")] if "--key" in words else words
        sys.stderr.write(f"{_NAME} is now: {written(['connorg', *shown])}\n")
        ended = _run(words)
        code = code or ended
        if ended not in {ExitCode.DONE, ExitCode.LEFT}:
            break
    return _CODES.get(ExitCode(code), code)


def commands(arguments: Sequence[str]) -> Iterable[list[str]]:
    """Return what is to be run in place of the old command. Raise SystemExit: it is wrong."""
    given = _parser().parse_args(arguments)
    connection = _words(given, "url", "scope", "patience", "key")
    results = ["--output", given.results] if given.results else []
    overwrite = ["--overwrite"] if given.overwrite else []
    tasks = {
        "check": given.file if given.check else None,
        "submit": None if given.check else given.file,
        "watch": given.watch,
        "retry": given.retry,
        "cancel": given.cancel,
    }
    match [(task, subject) for task, subject in tasks.items() if subject]:
        case [("check", file)]:
            yield ["check", file, *(["--all"] if given.all else []), *connection]
        case [("submit", file)]:
            options = _words(given, "on_invalid", "reference")
            yield ["submit", file, *options, *results, *overwrite, *connection]
        case [("watch", batch)]:
            yield ["watch", batch, *results, *overwrite, *connection]
        case [("retry", batch)]:
            yield ["retry", batch, *connection]
            if results:
                yield ["results", batch, *results, *overwrite, *connection]
        case [("cancel", batch)]:
            yield ["cancel", batch, *connection]
        case _:
            _parser().error("Give either a FILE, or one of --watch, --retry, --cancel.")


def _words(given: argparse.Namespace, *names: str) -> list[str]:
    values = [(name, getattr(given, name)) for name in names]
    return [w for name, value in values if value for w in (f"--{name.replace('_', '-')}", value)]


def _run(words: list[str]) -> int:
    sys.argv[1:] = words
    try:
        run()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(_NAME, description="The old name of `connorg`.")
    parser.add_argument("file", nargs="?")
    for name in ("check", "all", "overwrite"):
        parser.add_argument(f"--{name}", action="store_true")
    for name in ("url", "key", "scope", "reference", "results", "watch", "retry", "cancel"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--patience")
    parser.add_argument("--on-invalid", choices=["reject", "skip"])
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
