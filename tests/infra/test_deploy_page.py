"""docs/deploy.md says what is so."""

import re

from infra.bicep.syntax import read
from tests.infra.app_settings import ROOT
from tests.infra.environments import FILES, INFRA, MAIN, deployed
from tests.infra.test_evaluator import COMPILED
from tests.infra.test_policy import ROLES

PAGE = (ROOT / "docs/deploy.md").read_text()


def table_under(heading: str, number: int = 1) -> list[list[str]]:
    """The cells of a table under a heading, by its number, without its head."""
    _, _, section = PAGE.partition(f"\n## {heading}\n")
    tables = re.findall(r"(?:^ *\|.*\n)+", section, re.MULTILINE)
    lines = [line.strip() for line in tables[number - 1].strip().splitlines()[2:]]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_it_has_every_parameter_and_no_other() -> None:
    told = re.findall(r"`(\w+)`", " ".join(row[0] for row in table_under("Parameters")))
    assert told == list(read(MAIN).parameters)


def test_it_has_every_variable_of_azd_and_no_other() -> None:
    told = set(re.findall(r"`(\w+)`", " ".join(row[0] for row in table_under("azd's variables"))))
    read_there = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text()))
    for hook in (INFRA / "hooks").iterdir():
        read_there |= set(re.findall(r"\$\{?((?:AZURE|AZD|CONNORG)_\w+)", hook.read_text()))
    assert told == read_there | set(read(MAIN).outputs)


def test_it_has_every_role() -> None:
    assert {row[0].strip("*") for row in table_under("What the app may do")} == set(ROLES.values())


def test_it_has_every_alert_with_its_severity() -> None:
    rules = deployed("least").of_type("Microsoft.Insights/scheduledQueryRules")
    severities = {r.body["name"].split("-")[1]: r.properties["severity"] for r in rules}
    told = table_under("Alerts, workbook, queries")
    assert {row[0].strip("`"): int(row[2]) for row in told} == severities


def test_it_names_each_file_that_no_compiler_has_seen_as_it_is() -> None:
    """What is frozen in tests/infra/compiled is what one saw last."""
    [told] = re.findall(r"Changed are (.*?), and both files of `infra/entra`", PAGE, re.DOTALL)
    changed = {
        path.name
        for path in (MAIN, *(INFRA / "modules").glob("*.bicep"))
        if path.read_text() != (COMPILED / path.relative_to(INFRA)).read_text()
    }
    assert set(re.findall(r"`([\w.]+)`", told)) == changed


def test_it_names_files_and_outputs_that_there_are() -> None:
    for path in re.findall(r"(?:file|parameters) (infra/\S+)", PAGE):
        assert (ROOT / path).is_file(), path
    asked = re.findall(r"azd env get-value (\w+)", PAGE)
    assert asked
    assert set(asked) <= {*read(MAIN).outputs, "AZURE_SUBSCRIPTION_ID"}


def test_it_compares_the_environments_that_there_are() -> None:
    columns = [path.name.partition(".")[0] for path in FILES]
    [head] = re.findall(r"^\| \| (`dev`.*) \|$", PAGE, re.MULTILINE)
    assert sorted(head.replace("`", "").split(" | ")) == columns
    assert (INFRA / "main.parameters.json").is_file()


def test_no_page_lets_azure_build_the_package_again() -> None:
    """The Azure CLI does so for Python, unless it is told not to."""
    deploys = re.compile(r"^az functionapp deployment source config-zip.*", re.MULTILINE)
    wrong = [
        (page.name, command)
        for page in (ROOT / "docs").rglob("*.md")
        for command in deploys.findall(page.read_text().replace("\\\n", " "))
        if "--build-remote false" not in command
    ]
    assert not wrong, wrong
