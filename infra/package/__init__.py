"""The zip to deploy: `python -m infra.package`, or `make package`.

    __main__     the steps, and the figures
    install      every dependency, uncut, by hash
    modules      what is installed: modules, the files they are, the distributions that brought them
    imports      what a module imports, read from its source
    generated    which imports count in code that Kiota generated
    closure      the modules that are needed, and who needs them
    unseen       needs that stand in no import: by extension modules, entry points, data files
    layout       the tree as Azure wants it
    compiling    source to bytecode, the same bytes each time
    elf          extension modules without what only linkers and debuggers read
    checking     everything kept is imported where nothing else is
    archive      the zip
    comparing    the figures against the uncut install of the obvious function

What is kept and why: docs/package.md.
"""


class PackageError(Exception):
    """The package cannot be built; the message is a sentence for the person who builds it."""
