"""The zip: the same bytes from the same files, whenever and wherever it is made."""

import hashlib
import zipfile
from pathlib import Path

EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can hold
READABLE = 0o100644 << 16
UNIX = 3


def write(folder: Path, archive: Path) -> None:
    unfinished = archive.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for file in files(folder):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = READABLE
            entry.create_system = UNIX
            target.writestr(entry, file.read_bytes())
    unfinished.replace(archive)


def digest(folder: Path) -> str:
    """Return a SHA-256 of the names and bytes of the files of a folder, in hexadecimal.

    As `sha256sum` would of its own lines, so that anybody can compute it.
    """
    lines = (
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder).as_posix()}\n"
        for file in files(folder)
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def files(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())
