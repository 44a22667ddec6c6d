"""Import what is listed, where nothing else is: python -I -S importing.py FOLDER… < list.

The folders are the import path, before the standard library. Each line of the list is JSON: a
module, and the names that are imported from it. Each fault goes to standard output, as JSON.
"""

import contextlib
import importlib
import json
import sys
from collections.abc import Sequence


def main() -> None:
    sys.path[:0] = sys.argv[1:]
    output, sys.stdout = sys.stdout, sys.stderr  # some modules print as they are imported
    for line in sys.stdin:
        module, names = json.loads(line)
        if fault := fault_of(module, names):
            print(json.dumps((module, fault)), file=output, flush=True)


def fault_of(module: str, names: Sequence[str]) -> str | None:
    try:
        imported = importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001  whatever a module does, the next is tried
        return f"{type(error).__name__}: {error}"
    for name in names:
        if not hasattr(imported, name):
            with contextlib.suppress(ImportError):
                importlib.import_module(f"{module}.{name}")
                continue
            return f"it has no {name}"
    return None


if __name__ == "__main__":
    main()
