"""The modules that are needed, and who needs them.

All of the app's own imports count, those in its functions too. In dependencies they count too, but
a function may never be called, so what it imports need not be there; only generated code is told
apart (generated.py).
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from infra.package import PackageError, unseen
from infra.package.generated import Generated
from infra.package.imports import Import, read
from infra.package.modules import Module, Modules, parents


@dataclass(frozen=True)
class Need:
    """`importer` imports `module`, or a name from it. Certain: it does so as it is imported."""

    importer: str
    module: str
    name: str | None
    certain: bool


@dataclass
class Closure:
    """`kept`: each module that could be needed. `certain`: those the app cannot do without."""

    modules: Modules
    kept: dict[str, Module] = field(default_factory=dict)
    needs: set[Need] = field(default_factory=set)
    certain: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, modules: Modules) -> "Closure":
        """Raise PackageError when something is needed that is not installed."""
        closure = cls(modules)
        generated = Generated(modules)
        own = [module.name for module in modules if not module.distribution]
        closure._follow(own, generated)
        while more := unseen.modules(closure.kept.values(), modules) - closure.kept.keys():
            closure._follow(sorted(more), generated)
        closure._judge(own)
        return closure

    def _follow(self, names: list[str], generated: Generated) -> None:
        todo = [(name, False) for name in names]
        seen = set()
        while todo:
            name, is_read = step = todo.pop()
            if step in seen or not self.modules.is_file(name):
                continue
            seen.add(step)
            module = self.kept[name] = self.modules[name]
            todo += [(parent, False) for parent in parents(name)]
            for found in read(module).imports:
                if not generated.has(module) or generated.counts(found, is_read=is_read):
                    self.needs.add(_need(module, found, generated))
                    to_read = generated.is_read(module, found, importer_is_read=is_read)
                    todo += [(target, to_read) for target in self._targets(found)]

    def _targets(self, found: Import) -> Iterator[str]:
        yield found.module
        yield from parents(found.module)
        if found.name:
            yield f"{found.module}.{found.name}"

    def _judge(self, own: list[str]) -> None:
        """Find what is certain, and see that it is there."""
        certain: dict[str, list[Need]] = {}
        for need in self.needs:
            if need.certain:
                certain.setdefault(need.importer, []).append(need)
        todo = list(own)
        while todo:
            name = todo.pop()
            if name in self.certain or not self.modules.is_file(name):
                continue
            self.certain.add(name)
            todo += parents(name)
            for need in certain.get(name, ()):
                self._see_it_is_there(need)
                todo += [need.module, *([f"{need.module}.{need.name}"] if need.name else [])]

    def _see_it_is_there(self, need: Need) -> None:
        top = need.module.partition(".")[0]
        if top not in sys.stdlib_module_names and not self.modules.exists(need.module):
            raise PackageError(
                f"{need.importer} needs the module {need.module}, which is not installed: is its"
                " distribution in pyproject.toml, and was `make lock` run since?"
            )


def _need(module: Module, found: Import, generated: Generated) -> Need:
    is_run = not module.distribution or generated.has(module) or not found.functions
    return Need(module.name, found.module, found.name, certain=is_run and not found.conditional)
