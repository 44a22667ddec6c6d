"""Alerts, workbook and saved queries ask for what the code emits, by the names that it emits."""

import ast
import json
import re
from pathlib import Path

import pytest

from connorg.contract.onboarding import Status
from tests.infra.app_settings import ROOT
from tests.infra.environments import INFRA, deployed

QUERIES = sorted((INFRA / "queries").glob("*.kql"))
TELEMETRY_NAMES = ROOT / "connorg/telemetry/names.py"

# The columns in use of "Azure Monitor Logs reference". `make policy` has Kusto's own parser look.
TABLES: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "kusto/tables.json").read_text()
)


def named(path: Path) -> str:
    return path.stem


def names_in_code() -> set[str]:
    """Each string that telemetry/names.py gives a name at its top level."""
    module = ast.parse(TELEMETRY_NAMES.read_text())
    values = (node.value for node in module.body if isinstance(node, ast.Assign | ast.AnnAssign))
    return {v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)}


@pytest.mark.parametrize("path", QUERIES, ids=named)
def test_a_query_asks_for_what_the_code_emits(path: Path) -> None:
    text = path.read_text()
    metrics = set(re.findall(r"'(connorg\.[^']*)'", text))
    attributes = set(re.findall(r"Properties\['(\w+)'\]", text))
    assert text.count("Properties") == len(re.findall(r"Properties\['\w+'\]", text))
    assert (metrics | attributes) - names_in_code() == set()


def test_every_metric_of_the_code_is_asked_for() -> None:
    asked = {
        name for path in QUERIES for name in re.findall(r"'(connorg\.[^']*)'", path.read_text())
    }
    assert asked == {name for name in names_in_code() if name.startswith("connorg.")}


@pytest.mark.parametrize("path", QUERIES, ids=named)
def test_a_query_names_tables_and_columns_that_there_are(path: Path) -> None:
    text = re.sub(r"'[^']*'", "", path.read_text())
    names = set(re.findall(r"\b[A-Z]\w+\b", text))
    tables = names & set(TABLES)
    made = set(re.findall(r"\b([A-Z]\w+)(?: =[^=~]|: )", text))
    for parsed in re.findall(r"parse \w+ with (.*)", text):
        made |= set(parsed.split())
    assert tables
    columns = {column for table in tables for column in TABLES[table]}
    assert names - tables - made - columns == set()


def test_a_status_that_is_asked_for_is_one() -> None:
    asked = [s for p in QUERIES for s in re.findall(r"\['status'\]\) == '(\w+)'", p.read_text())]
    assert asked
    assert set(asked) <= set(Status)


def test_every_query_is_used() -> None:
    found = deployed("most")
    rules = found.of_type("Microsoft.Insights/scheduledQueryRules")
    saved = found.of_type("Microsoft.OperationalInsights/workspaces/savedSearches")
    used = [r.properties["criteria"]["allOf"][0]["query"] for r in rules]
    used += [s.properties["query"] for s in saved]
    assert sorted(used) == sorted(path.read_text() for path in QUERIES)


def test_an_alert_measures_a_column_of_its_query_and_says_what_it_means() -> None:
    rules = deployed("most").of_type("Microsoft.Insights/scheduledQueryRules")
    for rule in rules:
        [criterion] = rule.properties["criteria"]["allOf"]
        assert f"{criterion['metricMeasureColumn']} = " in criterion["query"]
        assert "project TimeGenerated, " in criterion["query"]  # by which the alert cuts its window
        assert rule.properties["description"].endswith(".")
    assert len(rules) == 7


@pytest.mark.parametrize(
    ("environment", "told"), [("least", 0), ("most", 2)], ids=["nobody", "mail and action group"]
)
def test_alerts_tell_whom_they_should(environment: str, told: int) -> None:
    for rule in deployed(environment).of_type("Microsoft.Insights/scheduledQueryRules"):
        assert len(rule.properties["actions"]["actionGroups"]) == told


def test_the_oldest_that_waits_is_measured_in_seconds_against_minutes() -> None:
    [rule] = [
        rule
        for rule in deployed("least").of_type("Microsoft.Insights/scheduledQueryRules")
        if "waiting" in rule.body["name"]
    ]
    assert rule.properties["criteria"]["allOf"][0]["threshold"] == 60 * 60


def test_the_workbook_shows_queries_that_are_saved_too() -> None:
    found = deployed("most")
    book = json.loads(found.only("Microsoft.Insights/workbooks").properties["serializedData"])
    charts = [item["content"] for item in book["items"] if item["type"] == 3]
    saved = found.of_type("Microsoft.OperationalInsights/workspaces/savedSearches")
    assert {chart["query"] for chart in charts} < {s.properties["query"] for s in saved}
    [parameters] = [item["content"] for item in book["items"] if item["type"] == 9]
    assert {chart["timeContextFromParameter"] for chart in charts} == {
        parameters["parameters"][0]["name"]
    }
