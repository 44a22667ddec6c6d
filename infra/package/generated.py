"""Which imports count in code that Kiota generated: Graph's SDK, 17,000 modules.

There each request builder imports its children inside the properties that make them, and each model
imports the models of its fields inside the functions that read an answer. Followed one and all,
they lead everywhere. So:

- a builder's property or method counts if one of the app's modules that import the SDK names it;
- a model's reading functions count if the model is handed on, as the class to read an answer into.
  One that is only called, to make a body, is only ever written.
"""

from infra.package.imports import Import, mentioned, read
from infra.package.modules import Module, Modules, parents

# Kiota leaves this file at the root of what it generates.
MARK = "kiota-lock.json"
# Of Kiota's Parsable. All that its libraries call on a model that they read.
READING = {"create_from_discriminator_value", "get_field_deserializers"}
WRITING = {"__init__", "serialize"}


class Generated:
    def __init__(self, modules: Modules) -> None:
        brought = {module.distribution for module in modules if module.distribution}
        self._packages = {
            ".".join(path.parent.parts)
            for distribution in brought
            for path in distribution.files
            if path.name == MARK
        }
        self._named = {
            name
            for module in modules
            if not module.distribution and any(map(self._is_around, mentioned(module)))
            for name in read(module).attributes
        }

    def has(self, module: Module) -> bool:
        return bool(self._packages.intersection(parents(module.name)))

    def counts(self, found: Import, *, is_read: bool) -> bool:
        """Whether an import in generated code counts, if its module is (not) read."""
        return all(
            name in WRITING or (is_read if name in READING else name in self._named)
            for name in found.functions
        )

    def is_read(self, importer: Module, found: Import, *, importer_is_read: bool) -> bool:
        """Whether what is imported is a model to read."""
        if self.has(importer) and not found.functions:
            return importer_is_read  # a model's base
        return found.is_handed_on or bool(READING.intersection(found.functions))

    def _is_around(self, module: str) -> bool:
        """Whether a module is in a package that holds generated code."""
        tops = {package.partition(".")[0] for package in self._packages}
        return module.partition(".")[0] in tops
