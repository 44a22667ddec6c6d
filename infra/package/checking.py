"""Everything kept is imported where nothing else is: what reading the sources missed shows here."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.package import PackageError, importing
from infra.package.closure import Closure
from infra.package.layout import SITE_PACKAGES


def check(closure: Closure, app: Path, uncut: Path) -> None:
    """Raise PackageError when a module does not work in the package as in the uncut install.

    What the app cannot do without must work. What a dependency may import and this app never
    installed (another event loop, another terminal) fails in both, and that is no fault.
    """
    wanted = [json.dumps(line) for line in sorted(_names(closure).items())]
    own = next(module.root for module in closure.kept.values() if not module.distribution)
    with ThreadPoolExecutor() as pool:
        in_package = pool.submit(_faults, wanted, app, app / SITE_PACKAGES)
        in_uncut = pool.submit(_faults, wanted, own, uncut)
    faults = in_package.result()
    wrong = {name for name in faults if name in closure.certain or name not in in_uncut.result()}
    if wrong:
        name = min(sorted(wrong), key=lambda name: _imports_any(closure, name, wrong))
        raise PackageError(
            f"{_who_needs(closure, name)} needs the module {name}, which does not work in the"
            f" package: {faults[name]}"
        )


def _imports_any(closure: Closure, name: str, wrong: set[str]) -> bool:
    """Whether a module may be wrong because of another."""
    targets = {
        target
        for need in closure.needs
        if need.importer == name
        for target in (need.module, f"{need.module}.{need.name}")
    }
    return bool(targets & wrong - {name})


def _names(closure: Closure) -> dict[str, list[str]]:
    """The modules kept, with the names that are sure to be imported from them."""
    names: dict[str, list[str]] = {name: [] for name in closure.kept}
    for need in closure.needs:
        if need.certain and need.importer in closure.certain and need.name not in {None, "*"}:
            names.get(need.module, []).append(str(need.name))
    return {name: sorted(set(taken)) for name, taken in names.items()}


def _faults(wanted: list[str], *path: Path) -> dict[str, str]:
    command = [sys.executable, "-ISB", "-W", "ignore", importing.__file__, *map(str, path)]
    done = subprocess.run(
        command, input="\n".join(wanted), text=True, check=False, capture_output=True
    )
    if done.returncode:
        raise PackageError(f"The package can't be tried out: {done.stderr.strip()}")
    return dict(json.loads(line) for line in done.stdout.splitlines())


def _who_needs(closure: Closure, name: str) -> str:
    importers = (
        need.importer
        for need in sorted(closure.needs, key=lambda need: (not need.certain, need.importer))
        if name in {need.module, f"{need.module}.{need.name}"}
    )
    return next(importers, "The package")
