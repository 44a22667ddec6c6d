"""What is read or made once per process, made anew for a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from connorg import settings, wiring


@contextmanager
def made_anew(*modules: ModuleType) -> Iterator[None]:
    """Forget what the modules keep, settings and wiring always, before and after."""
    kept = [part for module in (settings, wiring, *modules) for part in vars(module).values()]
    for part in kept:
        if hasattr(part, "cache_clear"):
            part.cache_clear()
    try:
        yield
    finally:
        for part in kept:
            if hasattr(part, "cache_clear"):
                part.cache_clear()
