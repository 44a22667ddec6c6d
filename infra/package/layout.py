"""The tree as Azure wants it: the app, and its dependencies where the worker looks for them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from infra.package import compiling, elf, unseen
from infra.package.modules import Distribution, Module

SITE_PACKAGES = PurePosixPath(".python_packages/lib/site-packages")
# So that importlib.metadata, and tools that look for known faults, see what is in the package.
KEPT_INFO = {"METADATA", "entry_points.txt"}
LICENSES = "licenses"
# azd leaves __pycache__ out of what it uploads, unless the folder says itself what to leave out.
IGNORE_FILE = ".funcignore"
CACHE_TAG = "cpython-313"


def lay_out(kept: Iterable[Module], app: Path, target: Path) -> None:
    """Make the folder target again, from the modules and the app's host.json."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    modules = sorted(kept, key=lambda module: module.path)
    _write(target / IGNORE_FILE, b"")
    for file in (app / "host.json", *(app / "connorg").rglob("*")):
        if file.is_file() and file.suffix not in {".py", ".pyc"}:
            _write(target / file.relative_to(app), file.read_bytes())
    for module in modules:
        if module.is_extension:
            _write(target / SITE_PACKAGES / module.path, elf.cut(module.file.read_bytes()))
        elif not module.distribution:
            _write(target / module.path, module.file.read_bytes())
    _compile([module for module in modules if not module.is_extension], target)
    for distribution, path in unseen.data_files(modules):
        content = (distribution.info.parent / path).read_bytes()
        _write(target / SITE_PACKAGES / path, content)
    for brought in {module.distribution for module in modules if module.distribution}:
        _write_info(brought, target / SITE_PACKAGES)


def _compile(modules: list[Module], target: Path) -> None:
    lines = [json.dumps((str(module.file), *_compiled(module, target))) for module in modules]
    subprocess.run(
        [sys.executable, "-S", "-s", "-W", "ignore", compiling.__file__],
        input="\n".join(lines),
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )


def _compiled(module: Module, target: Path) -> tuple[str, str]:
    """The name that tracebacks show, and the .pyc.

    The app's own sources stay, and their lines are shown. A dependency's .pyc stands in the place
    of its source: half the bytes and files, and its version says which line it is.
    """
    if not module.distribution:
        cache = module.path.parent / "__pycache__" / f"{module.path.stem}.{CACHE_TAG}.pyc"
        return str(module.path), str(target / cache)
    path = SITE_PACKAGES / module.path
    return str(path), str(target / path.with_suffix(".pyc"))


def _write_info(distribution: Distribution, site_packages: Path) -> None:
    for path in distribution.files:
        if path.parts[0] != distribution.info.name:
            continue
        content = (distribution.info.parent / path).read_bytes()
        if path.name == "METADATA":
            content = content.partition(b"\n\n")[0] + b"\n"  # the readme comes after the headers
        if path.name in KEPT_INFO or LICENSES in path.parts:
            _write(site_packages / path, content)


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
