"""`make openapi`, or `python -m infra.openapi`: write the description of the API.

`python -m infra.openapi OLD.json NEW.json` says what changed for callers; the code is 1 if
something breaks them. For a file of an earlier commit: `git show v0.1.0:docs/openapi.json`.
"""

import json
import sys
from pathlib import Path

import function_app
from connorg.functions.openapi.document import document
from infra.openapi.changes import changes


def main(arguments: list[str]) -> int:
    if not arguments:
        print(json.dumps(document(function_app.routes), ensure_ascii=False, indent=1))  # noqa: T201
        return 0
    old, new = (json.loads(Path(path).read_text(encoding="utf-8")) for path in arguments)
    found = changes(old, new)
    for change in sorted(found, key=lambda change: (not change.breaks, change.text)):
        print(f"{'breaking' if change.breaks else 'addition'}: {change.text}")  # noqa: T201
    print(f"{len(found)} changes, {sum(change.breaks for change in found)} breaking.")  # noqa: T201
    return 1 if any(change.breaks for change in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
