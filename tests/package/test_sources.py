"""How much of the SDK the sources lead to, by reading all that is installed."""

import sysconfig
from pathlib import Path

import pytest

from infra.local.child import ROOT
from infra.package.closure import Closure
from infra.package.modules import Modules, distributions, installed_modules, own_modules


@pytest.mark.slow
def test_few_of_the_sdk_models_are_kept() -> None:
    """A word that is also a method of a request builder, such as `get`, would bring 3,500."""
    site_packages = Path(sysconfig.get_path("purelib"))
    installed = installed_modules(site_packages, distributions(site_packages))
    kept = Closure.of(Modules([*own_modules(ROOT), *installed])).kept
    models = [name for name in kept if name.startswith("msgraph.generated.models.")]
    assert 5 < len(models) < 50
