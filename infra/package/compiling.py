"""Source to bytecode, the same bytes each time: python compiling.py < list, a file a line.

A program of its own: which strings and constants a .pyc shares depends on all that its process
compiled before, and on the seed of its hashes. The starter fixes both (`environment`).

Each line of the list is JSON: the source, the name that tracebacks show, the .pyc to write.
"""

import importlib.util
import json
import marshal
import sys
from pathlib import Path

# Of Python 3.13, which Azure runs; it passes over bytecode with another (PEP 3147).
MAGIC_NUMBER = (3571).to_bytes(2, "little") + b"\r\n"
# PEP 552: found by hash and not checked against it, as nothing changes once it is packed. A date
# would differ from build to build, and a check would read the source at each start.
HASH_BASED = (0b01).to_bytes(4, "little")


def main() -> None:
    for line in sys.stdin:
        source, name, target = json.loads(line)
        write(Path(source).read_bytes(), name, Path(target))


def write(source: bytes, name: str, target: Path) -> None:
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    header = MAGIC_NUMBER + HASH_BASED + importlib.util.source_hash(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(header + marshal.dumps(code))


if __name__ == "__main__":
    main()
