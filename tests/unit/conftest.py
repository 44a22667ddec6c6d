from hypothesis import HealthCheck, settings

from tests.authority import trust

__all__ = ["trust"]

# Machines are noisy: no example may fail for being slow.
settings.register_profile(
    "noisy", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("noisy")
