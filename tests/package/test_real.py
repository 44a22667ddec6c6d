"""The real package: built once, tried where nothing else is installed."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.child import ROOT
from infra.local.environment import SITE_PACKAGES, interpreter
from infra.package import PackageError, archive
from infra.package.__main__ import build, pack
from tests.end_to_end.client import Connorg, Partner
from tests.stack import Stack

OUTPUT = ROOT / ".local/package"
SDK = Path("msgraph/generated/identity_governance/entitlement_management/connected_organizations")
# What together makes every kind of call to Graph, storage and a callback's receiver.
SUITES = (
    "test_callbacks",
    "test_organizations",
    "test_queue",
    "test_sponsors",
    "test_subjects",
    "test_tenants",
    "test_webhook_proofs",
)


@pytest.fixture(scope="session")
def package() -> Path:
    """The folder with app/, connorg.zip and the uncut install. What it downloads stays there."""
    build(ROOT, OUTPUT)
    return OUTPUT


def test_it_runs_the_end_to_end_suites_where_nothing_else_is(package: Path) -> None:
    suites = [f"tests/end_to_end/{name}.py" for name in SUITES]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suites],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "CONNORG_TESTED_APP": str(package / "app")},
    )
    assert done.returncode == 0, done.stdout[-5000:]


async def test_its_process_loads_the_package_and_not_this_environment(package: Path) -> None:
    with Stack(app=package / "app") as stack:
        async with Connorg(stack) as connorg:
            assert (await connorg.submit(Partner().body())).status_code == 201
        maps = Path(f"/proc/{stack.pids['functions']}/maps").read_text()
    loaded = {line.split()[-1] for line in maps.splitlines() if line.endswith(".so")}
    assert any(str(package / "app" / SITE_PACKAGES) in file for file in loaded)
    assert not [file for file in loaded if "site-packages" in file and str(package) not in file]


def test_its_interpreter_sees_nothing_but_the_package_and_the_worker(package: Path) -> None:
    app = package / "app"
    command, environment = interpreter(app)
    probe = """if True:
        import azure.functions, azure_functions_runtime, msgraph, importlib.util
        print(azure.functions.__file__, msgraph.__file__)
        print([name for name in ("pytest", "pip", "hypothesis") if importlib.util.find_spec(name)])
    """
    done = subprocess.run(
        [*command, "-c", probe],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    files, others = done.stdout.splitlines()
    assert all(file.startswith(f"{app / SITE_PACKAGES}/") for file in files.split())
    assert others == "[]"


def test_the_same_sources_elsewhere_give_the_same_bytes(package: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "sources"
    shutil.copytree(ROOT / "connorg", elsewhere / "connorg")
    for name in ("function_app.py", "host.json"):
        shutil.copy(ROOT / name, elsewhere)
    pack(elsewhere, tmp_path, package / "uncut")
    first, second = (at / "connorg.zip" for at in (package, tmp_path))
    assert sha256(first) == sha256(second)


def test_it_is_a_fraction_of_what_is_installed(package: Path) -> None:
    """The uncut install has no bytecode here; Azure's own build would double it."""
    ours, uncut = archive.files(package / "app"), archive.files(package / "uncut")
    assert len(ours) <= 0.1 * len(uncut)
    assert size(ours) <= 0.2 * size(uncut)


@pytest.mark.parametrize(
    ("removed", "told"),
    [
        (
            Path("kiota_http/middleware/retry_handler.py"),
            r"kiota_http\.\S+ needs the module kiota_http\.middleware\.retry_handler, which",
        ),
        (
            # Imported by a property, when a sponsor is first removed.
            SDK / "item/internal_sponsors/item/ref/ref_request_builder.py",
            r"\S+\.directory_object_item_request_builder needs the module"
            r" \S+\.internal_sponsors\.item\.ref\.ref_request_builder, which",
        ),
    ],
)
def test_without_a_needed_module_the_build_fails_and_names_it(
    package: Path, tmp_path: Path, removed: Path, told: str
) -> None:
    lacking = tmp_path / "lacking"
    shutil.copytree(package / "uncut", lacking, copy_function=os.link)
    (lacking / removed).unlink()
    with pytest.raises(PackageError, match=told):
        pack(ROOT, tmp_path, lacking)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def size(files: list[Path]) -> int:
    return sum(file.stat().st_size for file in files)
