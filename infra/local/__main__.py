"""`python -m infra.local`. Ctrl-C is how it ends, also while its modules are imported."""

import sys

try:
    from infra.local.command import main

    code = main()
except KeyboardInterrupt:
    code = 0
sys.exit(code)
