"""Which authorities the clients of tests trust: one of their own, whose key was thrown away.

To read the hundred and fifty of a system takes 20 ms of processor time, for each client of HTTP and
each process that makes one, and tests make thousands to talk to this machine alone.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

TRUST = {"SSL_CERT_FILE": str(Path(__file__).with_suffix(".pem"))}


@pytest.fixture(scope="package", autouse=True)
def trust() -> Iterator[None]:
    """For the packages whose conftest.py names it: no test in them reaches another machine."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in TRUST.items():
            environment.setenv(name, value)
        yield
