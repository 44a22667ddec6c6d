"""What is deployed: how many files, how many bytes, unpacked and zipped."""

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from infra.local.child import ROOT

_PACKAGE = ROOT / ".local/package"
_OBVIOUS = ROOT / ".local/bench/obvious"
# aiohttp: azure-identity's asynchronous credentials need it ("Azure Identity", README).
_REQUIRED = ("azure-functions", "azure-identity", "msgraph-sdk", "aiohttp")
_INSTALL_SECONDS = 900


@dataclass(frozen=True)
class Size:
    files: int
    unpacked_mb: float
    zipped_mb: float


def connorg() -> Size | None:
    """Measure what `make package` built; None: it isn't built."""
    packed, tree = _PACKAGE / "connorg.zip", _PACKAGE / "app"
    if not packed.exists() or not tree.exists():
        return None
    return _size(tree, packed)


def obvious() -> Size:
    """Install what the obvious function needs, in connorg's versions, and zip it with the function.

    Raise subprocess.CalledProcessError.
    """
    tree, packed = _OBVIOUS / "app", _OBVIOUS / "obvious.zip"
    constraints = _OBVIOUS / "constraints.txt"
    pinned = _pinned()
    if not packed.exists() or not constraints.exists() or constraints.read_text() != pinned:
        _OBVIOUS.mkdir(parents=True, exist_ok=True)
        (_OBVIOUS / "unfinished.txt").write_text(pinned)
        _install(tree / ".python_packages/lib/site-packages", _OBVIOUS / "unfinished.txt")
        for source in (Path(__file__).parent / "obvious").glob("*.*"):
            (tree / source.name).write_bytes(source.read_bytes())
        _zip(tree, packed)
        (_OBVIOUS / "unfinished.txt").replace(constraints)
    return _size(tree, packed)


def _pinned() -> str:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return "\n".join(line.removesuffix(" \\") for line in lines if "==" in line.split(";")[0])


def _install(target: Path, constraints: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Azure's build compiles nothing either.
    into = ["--no-compile", "--upgrade", "--target", str(target), "--constraint", str(constraints)]
    subprocess.run([*pip, *into, *_REQUIRED], check=True, timeout=_INSTALL_SECONDS)


def _zip(tree: Path, packed: Path) -> None:
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(tree):
            archive.write(path, path.relative_to(tree))


def _size(tree: Path, packed: Path) -> Size:
    sizes = [path.stat().st_size for path in _files(tree)]
    return Size(len(sizes), sum(sizes) / 1e6, packed.stat().st_size / 1e6)


def _files(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())
