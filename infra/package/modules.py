"""What is installed: the modules, the files they are, and the distributions that brought them."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

REQUIREMENT = re.compile(r"^Requires-Dist: ([\w.-]+)(?!.*\bextra *==)", re.MULTILINE)
MAIN = "__main__"
# The command for people is not deployed: it has packages that the app does without.
_COMMAND = ("connorg/command", "connorg/bulk.py")


@dataclass(frozen=True, eq=False)
class Distribution:
    """What one wheel brought. `files` are relative to site-packages."""

    name: str
    info: Path
    files: tuple[PurePosixPath, ...] = field(
        repr=False
    )  # thousands, which a failing test would show

    @cached_property
    def requires(self) -> frozenset[str]:
        metadata = (self.info / "METADATA").read_text()
        return frozenset(_normal(name) for name in REQUIREMENT.findall(metadata))


@dataclass(frozen=True, eq=False)
class Module:
    """A module that is a file. One of the app's own has no distribution."""

    name: str
    root: Path
    path: PurePosixPath
    distribution: Distribution | None = None

    @property
    def file(self) -> Path:
        return self.root / self.path

    @property
    def is_extension(self) -> bool:
        return self.path.suffix == ".so"

    @property
    def is_package(self) -> bool:
        return self.path.stem == "__init__"


class Modules:
    """Every module that the app could import, by name; packages without a file are namespaces."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._by_name: dict[str, Module] = {}
        # Where both are, Python takes the extension module.
        for module in sorted(modules, key=lambda module: module.is_extension):
            self._by_name[module.name] = module
        self._namespaces = {
            parent for name in self._by_name for parent in parents(name)
        } - self._by_name.keys()

    def __getitem__(self, name: str) -> Module:
        return self._by_name[name]

    def __iter__(self) -> Iterator[Module]:
        return iter(self._by_name.values())

    def is_file(self, name: str) -> bool:
        return name in self._by_name

    def exists(self, name: str) -> bool:
        return name in self._by_name or name in self._namespaces

    def of(self, distribution: Distribution) -> list[Module]:
        """All that a distribution brought, but what `python -m` starts: imports name that."""
        found = [module for module in self if module.distribution is distribution]
        return [module for module in found if module.path.stem != MAIN]


def own_modules(app: Path) -> list[Module]:
    """The app's own: function_app.py, and all of connorg but the command for people."""
    files = [app / "function_app.py", *sorted((app / "connorg").rglob("*.py"))]
    paths = [PurePosixPath(file.relative_to(app)) for file in files]
    paths = [path for path in paths if not any(map(path.is_relative_to, _COMMAND))]
    return [Module(_name(path), app, path) for path in paths]


def installed_modules(
    site_packages: Path, distributions: Mapping[str, Distribution]
) -> list[Module]:
    return [
        Module(_name(path), site_packages, path, distribution)
        for distribution in distributions.values()
        for path in distribution.files
        if path.suffix in {".py", ".so"}
        if all(part.isidentifier() for part in (*path.parent.parts, path.name.partition(".")[0]))
        if (site_packages / path).exists()
    ]


def distributions(site_packages: Path) -> dict[str, Distribution]:
    """All that are installed, by normal name."""
    found = [_distribution(info) for info in sorted(site_packages.glob("*.dist-info"))]
    return {distribution.name: distribution for distribution in found}


def parents(name: str) -> list[str]:
    """The packages around a module, the outermost first."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _distribution(info: Path) -> Distribution:
    with (info / "RECORD").open(newline="") as record:
        files = tuple(PurePosixPath(row[0]) for row in csv.reader(record))
    return Distribution(_normal(info.name.partition("-")[0]), info, files)


def _name(path: PurePosixPath) -> str:
    name = path.name.partition(".")[0]  # an extension module has its interpreter's tag after it
    return ".".join(path.parent.parts if name == "__init__" else (*path.parent.parts, name))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
