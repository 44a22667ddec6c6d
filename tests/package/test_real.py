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
from infra.package.__main__ import AZURE, SITE, build, pack
from tests.end_to_end.client import Connorg, Partner
from tests.stack import Stack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SITE != AZURE, reason="the package runs on Linux x86_64"),
]

OUTPUT = ROOT / ".local/package"
SPONSORS = Path(
    "msgraph/generated/identity_governance/entitlement_management/connected_organizations/item"
    "/internal_sponsors"
)
# What together makes every kind of call to Graph, storage and a callback's receiver.
# `make package-test` runs all.
TESTS = (
    "test_callbacks.py::test_a_created_organization_is_told_signed_by_both_secrets",
    "test_organizations.py",
    "test_queue.py::test_a_producers_message_is_onboarded",
    "test_sponsors.py::test_sponsors_are_added_by_id_and_by_name_users_and_groups",
    "test_subjects.py",
    "test_tenants.py",
    "test_webhooks.py::test_an_approved_partner_is_onboarded",
)


@pytest.fixture(scope="session")
def package() -> Path:
    """The folder with app/, connorg.zip and the uncut install. What it downloads stays there."""
    build(ROOT, OUTPUT)
    return OUTPUT


def test_it_passes_end_to_end_tests_where_nothing_else_is(package: Path) -> None:
    tests = [f"tests/end_to_end/{test}" for test in TESTS]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
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
        maps = mapped(stack.pids["functions"])
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


def test_another_platform_gives_the_same_tree(package: Path, tmp_path: Path) -> None:
    script = """if True:
        import platform, sys
        from pathlib import Path
        sys.platform, platform.machine = "darwin", lambda: "arm64"
        from infra.package.__main__ import ROOT, build
        build(ROOT, Path(sys.argv[1]))
    """
    (tmp_path / "uncut").symlink_to(package / "uncut")
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=True)
    assert archive.digest(tmp_path / "app") == archive.digest(package / "app")


def test_it_holds_the_console_with_its_libraries_and_their_licences(package: Path) -> None:
    folder = Path("connorg/functions/console")
    packed, sources = (
        {file: (at / folder / file).read_bytes() for file in files_in(at / folder)}
        for at in (package / "app", ROOT)
    )
    assert packed == sources
    assert {"vendor/preact.js", "vendor/LICENSE-preact.txt", "vendor/LICENSE-htm.txt"} <= {*packed}


def files_in(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in archive.files(folder)}


def test_it_is_a_fraction_of_what_is_installed(package: Path) -> None:
    """The uncut install has no bytecode here, which nearly halves it: Azure's own build has it."""
    ours, uncut = archive.files(package / "app"), archive.files(package / "uncut")
    assert len(ours) <= 0.11 * len(uncut)
    assert size(ours) <= 0.25 * size(uncut)


def test_without_a_needed_module_the_build_fails_and_names_it(
    package: Path, tmp_path: Path
) -> None:
    """This one is imported by a property, when a sponsor is first removed."""
    lacking = tmp_path / "lacking"
    shutil.copytree(package / "uncut", lacking, copy_function=os.link)
    (lacking / SPONSORS / "item/ref/ref_request_builder.py").unlink()
    with pytest.raises(
        PackageError,
        match=r"^msgraph\.\S+\.internal_sponsors\.item\.directory_object_item_request_builder needs"
        r" the module \S+\.internal_sponsors\.item\.ref\.ref_request_builder, which is not",
    ):
        pack(ROOT, tmp_path, lacking)


def mapped(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def size(files: list[Path]) -> int:
    return sum(file.stat().st_size for file in files)
