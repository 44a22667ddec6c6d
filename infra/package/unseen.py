"""Needs without an import: if a source is unclear, more is kept."""

import configparser
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath

from infra.package.imports import read
from infra.package.modules import Distribution, Module, Modules


def modules(kept: Collection[Module], all_modules: Modules) -> set[str]:
    """The names of modules that those kept may import, though no import says so."""
    by_distribution = {module.distribution for module in kept if module.distribution}
    texts = {text for module in kept for text in read(module).texts}
    found = set()
    for module in kept:
        if module.distribution and read(module).imports_computed_names:
            found |= {other.name for other in all_modules.of(module.distribution)}
        if module.is_extension:
            found |= set(_named_inside(module, all_modules))
    for distribution in by_distribution:
        found |= {name for name in _entry_points(distribution, texts) if all_modules.is_file(name)}
    return found


def data_files(kept: Iterable[Module]) -> set[tuple[Distribution, PurePosixPath]]:
    """The files beside the modules that a module of the same distribution names."""
    named: dict[Distribution, set[str]] = {}
    packages: set[str] = set()
    for module in kept:
        if module.distribution:
            named.setdefault(module.distribution, set()).update(read(module).texts)
            packages.add(module.path.parts[0])
    return {
        (distribution, path)
        for distribution, texts in named.items()
        for path in distribution.files
        if path.name in texts and path.parts[0] in packages
        if path.suffix not in {".py", ".so", ".pyc"}
    }


def _named_inside(module: Module, all_modules: Modules) -> Iterator[str]:
    """An extension module holds the names of what it imports as text.

    They are looked for in its own distribution and in those that it requires.
    """
    if not module.distribution:
        return
    content = module.file.read_bytes()
    near = module.distribution.requires | {module.distribution.name}
    for other in all_modules:
        is_near = other.distribution is not None and other.distribution.name in near
        if is_near and other.name.encode() in content:
            yield other.name


def _entry_points(distribution: Distribution, texts: set[str]) -> Iterator[str]:
    """The modules that a distribution offers under one of its groups."""
    file = distribution.info / "entry_points.txt"
    if not file.exists():
        return
    offers = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    offers.optionxform = str  # type: ignore[assignment, method-assign]  # its documented use
    offers.read_string(file.read_text())
    for group in set(offers.sections()) & texts:
        for value in offers[group].values():
            yield value.partition(":")[0].strip()
