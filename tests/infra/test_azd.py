"""azure.yaml and its hooks: each command of azd does all it must, in its order, every time."""

import os
import pty
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from infra.bicep.syntax import read
from infra.grant.__main__ import parser_of
from infra.grant.rights import WAYS
from tests.infra.app_settings import ROOT
from tests.infra.azd import Azd, AzdError
from tests.infra.environments import INFRA, MAIN, deployed, parameters_in
from tests.infra.recorders import Recorders

HOOKS = INFRA / "hooks"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
TENANT = "00000000-0000-0000-0000-000000000002"
PRINCIPAL = "00000000-0000-0000-0000-000000000005"
WHERE = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, "AZURE_LOCATION": "westeurope"}
AZ: Mapping[str, str | int] = {
    "account_show": "",
    "provider_show": "NotRegistered",
    "provider_register": "",
    "deployment_sub_create": "the-client-id",
}
# In place of this project's own: each build of the package is another.
MAKEFILE = """
setup:
package: setup
	mkdir -p .local/package/app && echo built >>.local/package/app/builds
"""


@pytest.fixture
def recorders(tmp_path: Path) -> Recorders:
    folder = tmp_path / "tools"
    folder.mkdir()
    recorders = Recorders(folder)
    recorders.az(**AZ)
    return recorders


@pytest.fixture
def azd(tmp_path: Path, recorders: Recorders) -> Azd:
    """A project with the real azure.yaml and the real hooks; its Python writes down its call."""
    project = tmp_path / "project"
    (project / ".venv/bin").mkdir(parents=True)
    shutil.copy(ROOT / "azure.yaml", project)
    (project / "infra").symlink_to(INFRA)
    (project / "Makefile").write_text(MAKEFILE)
    grant_ends_with(project, recorders, 0)
    outputs = dict.fromkeys(read(MAIN).outputs, "output") | {
        "AZURE_TENANT_ID": TENANT,
        "CONNORG_PRINCIPAL_ID": PRINCIPAL,
    }
    return Azd(project, recorders.folder, outputs, WHERE, {"AZURE_ENV_NAME": "prod"})


def grant_ends_with(project: Path, recorders: Recorders, code: int) -> None:
    recorders.tool("python", f"exit {code}")
    shutil.copy(recorders.folder / "python", project / ".venv/bin/python")
    (recorders.folder / "python").unlink()


def builds(azd: Azd) -> int:
    return len((azd.package / "builds").read_text().splitlines())


def test_the_service_is_found_by_its_tag(azd: Azd) -> None:
    tags = deployed("least").only("Microsoft.Web/sites").body["tags"]
    assert tags["azd-service-name"] == azd.service_name


def test_every_hook_is_there_and_may_be_run() -> None:
    named = re.findall(r"run: (infra/\S+)", (ROOT / "azure.yaml").read_text())
    assert {ROOT / path for path in named} == set(HOOKS.iterdir())
    assert all((ROOT / path).stat().st_mode & stat.S_IXUSR for path in named)


def test_what_hooks_keep_is_what_the_parameters_ask_for(azd: Azd) -> None:
    azd.run("up")
    asked = {str(value) for value in parameters_in(INFRA / "main.parameters.json").values()}
    assert "${CONNORG_ENTRA_CLIENT_ID}" in asked
    assert azd.environment["CONNORG_ENTRA_CLIENT_ID"] == "the-client-id"


def test_up_works_the_first_time_and_the_second(azd: Azd, recorders: Recorders) -> None:
    for times in (1, 2):
        azd.run("up")
        assert builds(azd) == times
        assert len(azd.deployed) == times
        assert len(recorders.called("az", "deployment")) == 1, "one registration in all"
        assert len(recorders.called("python")) == times


def test_deploy_alone_uploads_what_the_sources_are_now(azd: Azd) -> None:
    azd.run("up")
    azd.run("deploy")
    assert builds(azd) == 2
    assert azd.deployed == [azd.package, azd.package]


def test_package_and_up_build_once(azd: Azd) -> None:
    azd.run("package")
    assert builds(azd) == 1
    azd.run("up")
    assert builds(azd) == 2


def test_provision_alone_says_that_it_must_be_known_where(azd: Azd, recorders: Recorders) -> None:
    with pytest.raises(AzdError, match=r"azd env set AZURE_SUBSCRIPTION_ID ID.*AZURE_LOCATION"):
        azd.run("provision")
    assert recorders.calls == []
    azd.environment |= WHERE
    azd.run("provision")
    assert len(recorders.called("python")) == 1


def test_every_call_of_the_azure_cli_says_in_which_subscription(
    azd: Azd, recorders: Recorders
) -> None:
    """Its own default may be another, in another tenant."""
    azd.environment["CONNORG_PRIVATE_NETWORK"] = "true"
    azd.run("up")
    calls = recorders.called("az")
    assert [call[1] for call in calls] == ["account", "provider", "provider", "deployment"]
    for call in calls:
        assert call[call.index("--subscription") + 1] == SUBSCRIPTION, call


def test_what_is_remembered_is_remembered_in_the_environment_that_is_deployed(
    azd: Azd, recorders: Recorders
) -> None:
    """It need not be the one that azd takes by itself: `azd up --environment other`."""
    azd.run("up")
    for call in recorders.called("azd"):
        assert call[call.index("--environment") + 1] == "prod", call


def test_who_is_not_signed_in_where_azd_deploys_is_told_so_before_anything_is_made(
    azd: Azd, recorders: Recorders
) -> None:
    recorders.az(account_show=1)
    with pytest.raises(AzdError, match="az login --tenant"):
        azd.run("up")
    assert [call[:2] for call in recorders.calls] == [["az", "account"]]


@pytest.mark.parametrize(
    ("private", "state", "registered"),
    [("false", "NotRegistered", 0), ("true", "NotRegistered", 1), ("true", "Registered", 0)],
)
def test_a_private_network_has_its_provider_registered(
    azd: Azd, recorders: Recorders, private: str, state: str, registered: int
) -> None:
    recorders.az(**{**AZ, "provider_show": state})
    azd.environment["CONNORG_PRIVATE_NETWORK"] = private
    azd.run("up")
    calls = recorders.called("az", "provider", "register")
    assert len(calls) == registered
    for call in calls:
        assert call[call.index("--namespace") + 1] == "Microsoft.App"


def test_who_may_not_register_the_provider_is_told_what_to_hand_on(
    azd: Azd, recorders: Recorders
) -> None:
    recorders.az(**{**AZ, "provider_register": 1})
    azd.environment["CONNORG_PRIVATE_NETWORK"] = "true"
    with pytest.raises(AzdError, match=f"az provider register .* {SUBSCRIPTION} --wait"):
        azd.run("up")
    assert recorders.called("az", "deployment") == []


def test_the_registration_is_called_as_it_is_declared(azd: Azd, recorders: Recorders) -> None:
    azd.run("up")
    [call] = recorders.called("az", "deployment", "sub", "create")
    given = dict(pairwise(call))
    template = read(ROOT / given["--template-file"])
    assert template.scope == "subscription"
    name, _, value = given["--parameters"].partition("=")
    assert [name] == [asked for asked, p in template.parameters.items() if p.default is None]
    assert value == "prod"
    [output] = re.findall(r"properties\.outputs\.(\w+)\.value", given["--query"])
    assert output in template.outputs


@pytest.mark.parametrize(
    "known", [{"CONNORG_ENTRA_CLIENT_ID": "id"}, {"CONNORG_CALLERS": "keys"}], ids=["id", "keys"]
)
def test_no_registration_is_made_where_none_is_wanted(
    azd: Azd, recorders: Recorders, known: dict[str, str]
) -> None:
    azd.environment |= known
    azd.run("up")
    assert recorders.called("az", "deployment") == []


def test_who_may_not_make_the_registration_is_told_what_to_do(
    azd: Azd, recorders: Recorders
) -> None:
    recorders.az(**{**AZ, "deployment_sub_create": 1})
    with pytest.raises(AzdError, match=r"CONNORG_ENTRA_CLIENT_ID ID.*CONNORG_CALLERS keys"):
        azd.run("up")


@pytest.mark.parametrize("way", ["", *WAYS])
def test_the_grant_is_called_with_words_that_it_knows(
    azd: Azd, recorders: Recorders, way: str
) -> None:
    azd.environment |= {"CONNORG_GRANT_WITH": way} if way else {}
    azd.run("up")
    [call] = recorders.called("python", "-m", "infra.grant")
    understood = parser_of("grant").parse_args(call[3:])
    assert (understood.principal_id, understood.tenant) == (PRINCIPAL, TENANT)
    assert understood.way == (way or "directory-role")
    assert understood.yes, "there is nobody to ask"


def test_who_sits_at_a_terminal_is_asked_before_anything_is_granted(
    azd: Azd, recorders: Recorders
) -> None:
    environment = {"CONNORG_PRINCIPAL_ID": PRINCIPAL, "AZURE_TENANT_ID": TENANT}
    for extra, is_asked in ({}, True), ({"AZD_NON_INTERACTIVE": "true"}, False):
        master, terminal = pty.openpty()
        subprocess.run(
            [HOOKS / "grant.sh"],
            check=True,
            cwd=azd.project,
            stdin=terminal,
            env={"PATH": os.environ["PATH"], **environment, **extra},
            capture_output=True,
        )
        os.close(master)
        os.close(terminal)
        assert ("--yes" not in recorders.called("python")[-1]) is is_asked


@pytest.mark.parametrize("code", [1, 4])
def test_who_may_not_grant_is_told_whom_to_ask_and_the_deployment_goes_on(
    azd: Azd, recorders: Recorders, code: int
) -> None:
    grant_ends_with(azd.project, recorders, code)
    azd.run("up")
    assert azd.deployed
    [line] = re.findall(r"Privileged Role Administrator run: python -m infra.grant (.*)", azd.told)
    understood = parser_of("grant").parse_args(line.split())
    assert (understood.principal_id, understood.tenant) == (PRINCIPAL, TENANT)
    assert not understood.yes, "whoever it is handed to is asked"


@pytest.mark.parametrize("code", [2, 3, 127])
def test_a_grant_that_was_called_wrongly_stops_azd(
    azd: Azd, recorders: Recorders, code: int
) -> None:
    """Else everything would look well, and nobody would have been granted anything."""
    grant_ends_with(azd.project, recorders, code)
    with pytest.raises(AzdError, match=f"grant.sh ended with {code}"):
        azd.run("up")


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("hook", sorted(path.name for path in HOOKS.iterdir()))
def test_the_hooks_are_for_any_posix_shell(
    azd: Azd, recorders: Recorders, hook: str, shell: str
) -> None:
    azd.run("up")
    subprocess.run(
        [shell, "-n", str(HOOKS / hook)], check=True, capture_output=True, cwd=azd.project
    )
    done = subprocess.run(
        [shell, f"infra/hooks/{hook}"],
        check=False,
        cwd=azd.project,
        stdin=subprocess.DEVNULL,
        env={**azd.environment, "PATH": f"{recorders.folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
