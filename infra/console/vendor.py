"""Copy the console's libraries, as npm installed them by the hashes of its lock, to the console.

Browsers find a module by its address alone. So what the libraries import by name gets an address:
the only change to them.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
NODE_MODULES = Path(__file__).parent / "node_modules"
VENDOR = ROOT / "connorg/functions/console/vendor"

FILES: Mapping[str, str] = {
    "preact.js": "preact/dist/preact.mjs",
    "hooks.js": "preact/hooks/dist/hooks.mjs",
    "htm.js": "htm/dist/htm.module.js",
    "LICENSE-preact.txt": "preact/LICENSE",
    "LICENSE-htm.txt": "htm/LICENSE",
}


def main() -> None:
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for name, source in FILES.items():
        (VENDOR / name).write_text(served(NODE_MODULES / source))


def served(source: Path) -> str:
    """Return a file as browsers get it. Its source map stays behind."""
    lines = source.read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("//# sourceMappingURL="))
    return text.replace('from"preact"', 'from"./preact.js"')


if __name__ == "__main__":
    main()
