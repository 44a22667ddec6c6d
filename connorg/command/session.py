"""What a command runs in: the app, the two outputs, and what continues without the command."""

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from connorg.command.client import App
from connorg.command.connection import Connection
from connorg.command.ending import CommandError
from connorg.command.printing import print_copied, print_json, print_line

NAME = "connorg"
MODULE = "connorg.command"


@dataclass
class Session:
    app: App
    connection: Connection
    profile: Path
    given: list[str]
    """The options of the connection as they were given, but for the key: others can see it."""
    is_json: bool
    out: Console
    """For what is asked for."""
    err: Console
    """For messages on the way."""
    goes_on: str = "Nothing was changed."
    """What is said where the command is interrupted."""
    come_back: str = ""
    """The command that continues where this one is interrupted."""

    @property
    def has_caller(self) -> bool:
        """Whether there is a credential."""
        return bool(self.connection.key or self.connection.scope)

    @property
    def can_ask(self) -> bool:
        """Whether somebody at a terminal can answer."""
        return sys.stdin.isatty() and self.err.is_terminal

    def tell(self, text: str) -> None:
        print_line(self.err, text)

    def propose(self, purpose: str, *words: object) -> None:
        """Say which command comes next; a script that reads JSON knows that by itself."""
        if not self.is_json:
            self.tell(purpose)
            print_copied(self.err, self.written(*words))

    def written(self, *words: object) -> str:
        """Return a command of connorg as it can be pasted, for the same app."""
        return written([*invoked_as(), *map(str, words), *self.given])

    def print_json(self, body: object) -> None:
        print_json(self.out, body)


def invoked_as() -> list[str]:
    """Return how this command was called, as it can be called again from the same shell."""
    script = Path(sys.argv[0])
    if not script.name.startswith(NAME):
        return [sys.executable, "-m", MODULE]
    # `uvx` finds it where no shell looks.
    found = None if "UV" in os.environ else shutil.which(NAME)
    is_found = found and script.exists() and script.samefile(found)
    return [NAME] if is_found else [str(script)]


def written(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def write_file(path: Path, content: bytes, *, overwrite: bool) -> None:
    """Raise CommandError."""
    check_writable(path, overwrite=overwrite)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror}.") from None


def check_writable(path: Path | None, *, overwrite: bool) -> None:
    """Find out before anything begins whether a file will have a place. Raise CommandError."""
    if path is None:
        return
    if path.exists() and not overwrite:
        raise CommandError(f"{path} exists already.", "Use another name, or add --overwrite.")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"{path.parent} is not a folder.", "Name a folder that exists.")
