"""Build the zip to deploy, and the same unpacked. docs/package.md says what is in it."""

import argparse
import importlib.util
import platform
import sys
from pathlib import Path

from infra.package import PackageError, archive, checking, comparing, compiling, layout
from infra.package.closure import Closure
from infra.package.install import install
from infra.package.modules import Modules, distributions, installed_modules, own_modules

ROOT = Path(__file__).parents[2]
SITE = (sys.platform, platform.machine())
AZURE = ("linux", "x86_64")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    parser.add_argument("--app", type=Path, default=ROOT, help="where function_app.py is")
    parser.add_argument("--output", type=Path, default=ROOT / ".local/package", help="the folder")
    parser.add_argument(
        "--compare", action="store_true", help="with the uncut install of the obvious function"
    )
    chosen = parser.parse_args()
    app, output = chosen.app.absolute(), chosen.output.absolute()
    try:
        build(app, output)
        comparing.tell(output, with_obvious=chosen.compare)
    except PackageError as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def build(app: Path, output: Path) -> None:
    """Write output/app and output/connorg.zip. output/uncut is kept for next time.

    Raise PackageError.
    """
    if importlib.util.MAGIC_NUMBER != compiling.MAGIC_NUMBER:
        raise PackageError(
            f"Azure runs the bytecode of Python 3.13, and this is {platform.python_version()}."
        )
    install(app / "requirements.txt", output / "uncut", "--require-hashes")
    pack(app, output, output / "uncut")


def pack(app: Path, output: Path, uncut: Path) -> None:
    """The same, from an install that is there. Raise PackageError.

    Extension modules for Azure run on Azure's platform alone. What is built elsewhere is the same
    to the byte, and is not tried out.
    """
    archived = output / "connorg.zip"
    archived.unlink(missing_ok=True)  # what fails must not leave an older one to deploy
    installed = installed_modules(uncut, distributions(uncut))
    closure = Closure.of(Modules([*own_modules(app), *installed]))
    layout.lay_out(closure.kept.values(), app, output / "app")
    if SITE == AZURE:
        checking.check(closure, output / "app", uncut)
    else:
        print("Not tried out: that takes Linux x86_64. CI does it.", file=sys.stderr)  # noqa: T201
    archive.write(output / "app", archived)


if __name__ == "__main__":
    sys.exit(main())
