"""`python -m infra.local.demo`, and what Ctrl-C comes to, also while its modules are imported."""

import sys

from infra.local.unprepared import advice

_INTERRUPTED = 130  # as shells have it

try:
    from infra.local.demo.demonstration import main

    code: int | str = main()
except KeyboardInterrupt:
    sys.stderr.write("Interrupted. Everything that it started has been stopped.\n")
    code = _INTERRUPTED
except ModuleNotFoundError as missing:
    code = advice(missing, "infra.local.demo")
sys.exit(code)
