"""Every dependency, uncut, by hash, for what Azure Functions runs on: Linux x86_64, Python 3.13."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from infra.package import PackageError

UV = Path(sys.prefix) / "bin/uv"
# glibc 2.28: older than what Azure Functions runs Python 3.13 on.
TARGET = ("--python-version", "3.13", "--python-platform", "x86_64-manylinux_2_28")


def install(requirements: Path, folder: Path, *options: str) -> None:
    """Make the folder what the requirements say; at once when it already is.

    Raise PackageError when a wheel is not there, or not the one whose hash is known.
    """
    stamp = folder / ".complete"
    wanted = hashlib.sha256(requirements.read_bytes() + repr(options).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    command = [str(UV), "pip", "install", "--quiet", "--only-binary", ":all:", *TARGET]
    where = ["--target", str(folder), "--requirement", str(requirements)]
    done = subprocess.run([*command, *options, *where], check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise PackageError(f"What {requirements.name} names can't be installed: uv says why above.")
    stamp.write_text(wanted)
