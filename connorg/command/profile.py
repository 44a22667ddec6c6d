"""The profile: a file that stores which app is called, and by whom."""

import getpass
import json
import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import typer

from connorg.command.ending import CommandError

NAMES = ("url", "key", "scope")


def usual_place() -> Path:
    return Path(typer.get_app_dir("connorg")) / "profile.json"


def read_profile(path: Path) -> dict[str, str]:
    """Return what it holds; nothing where there is no file. Raise CommandError."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The profile {path} can't be read: {error}.") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CommandError(
            f"Others can read or change the profile {path}, which may contain a key.",
            f"chmod 600 {path} and, if it contains a key, renew that key.",
        )
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    if not isinstance(held, dict) or not all(isinstance(held.get(n, ""), str) for n in NAMES):
        raise CommandError(f"The profile {path} is not a profile.", "Run `connorg login` again.")
    return {name: held[name] for name in NAMES if held.get(name)}


def write_profile(path: Path, held: Mapping[str, str]) -> None:
    """Write it so that nobody else can read it, at any moment. Raise CommandError."""
    new = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if os.name == "nt":
                subprocess.run(windows_restriction(new), check=True, capture_output=True)  # noqa: S603
            file.write(json.dumps(dict(held), indent=2) + "\n")
        new.replace(path)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CommandError(f"The profile {path} can't be written: {error}.") from None


def windows_restriction(path: Path) -> list[str]:
    """Return what lets the user alone read a file on Windows, where a mode means nothing."""
    return ["icacls", str(path), "/inheritance:r", "/grant:r", f"{getpass.getuser()}:F"]
