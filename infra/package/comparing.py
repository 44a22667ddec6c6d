"""The figures: files and bytes, against the uncut install of the obvious function.

The obvious function is what a team writes from the SDK's documentation. Its dependencies are
installed as Azure's build on the server does: whole, and compiled.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from infra.package import archive
from infra.package.install import install

OBVIOUS = ("azure-functions", "azure-identity", "msgraph-sdk")
BLOCK = 4096  # bytes; what a file takes on a disk is a multiple of it


@dataclass(frozen=True)
class Figures:
    """Bytes, but for the number of files. `on_disk`: in whole blocks of 4 KiB."""

    files: int
    unpacked: int
    on_disk: int
    zipped: int

    @classmethod
    def of(cls, folder: Path, zipped: Path) -> Self:
        sizes = [file.stat().st_size for file in archive.files(folder)]
        on_disk = sum(-(-size // BLOCK) * BLOCK for size in sizes)
        return cls(len(sizes), sum(sizes), on_disk, zipped.stat().st_size)


def tell(output: Path, *, with_obvious: bool) -> None:
    """Print the figures, and write them to output/figures.json. Raise PackageError."""
    figures = {"connorg": Figures.of(output / "app", output / "connorg.zip")}
    if with_obvious:
        figures["obvious"] = _obvious(output)
    told = {name: asdict(each) for name, each in figures.items()}
    if with_obvious:
        ours, theirs = told["connorg"], told["obvious"]
        told["ratio"] = {kind: round(ours[kind] / theirs[kind], 3) for kind in ours}
    (output / "figures.json").write_text(json.dumps(told, indent=2) + "\n")
    for name, row in told.items():
        columns = "  ".join(f"{kind} {value:>13,}" for kind, value in row.items())
        print(f"{name:8}  {columns}")  # noqa: T201
    print(f"tree      {archive.digest(output / 'app')}")  # noqa: T201
    print(output / "connorg.zip")  # noqa: T201


def _obvious(output: Path) -> Figures:
    """Install it in the versions that connorg is pinned to."""
    pins = output.parent.parent / "requirements.txt"
    wanted = output / "obvious.txt"
    wanted.write_text("\n".join(OBVIOUS) + f"\n-c {pins}\n")
    install(wanted, output / "obvious", "--compile-bytecode")
    archive.write(output / "obvious", output / "obvious.zip")
    return Figures.of(output / "obvious", output / "obvious.zip")
