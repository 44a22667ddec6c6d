"""`python -m infra.local`. Ctrl-C is how it ends, also while its modules are imported."""

import sys

from infra.local.unprepared import advice, require_packages

try:
    require_packages()
    from infra.local.command import main

    code: int | str = main()
except KeyboardInterrupt:
    code = 0
except ModuleNotFoundError as missing:
    code = advice(missing, "infra.local")
sys.exit(code)
