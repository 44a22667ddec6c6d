"""docs/what-if.md counts what there is, and adds it up rightly."""

import json
import re
from collections import Counter

from function_app import routes
from infra.bicep.deploying import deploy
from infra.bicep.syntax import read, text_of
from tests.infra.app_settings import ROOT
from tests.infra.environments import ENVIRONMENTS, MAIN, deployed

PAGE = (ROOT / "docs/what-if.md").read_text()
GROUP_SIZE = 2  # instances, which zone redundancy keeps for each


def counted(environment: str) -> Counter[str]:
    return Counter(one.type_name for one in deployed(environment).resources if not one.existing)


def groups_of_functions() -> int:
    """All that is called by HTTP scales as one, warm-up with it; everything else by itself."""
    source = (ROOT / "function_app.py").read_text()
    return 1 + len(re.findall(r"app\.(?:queue|timer)_trigger\(", source))


def functions(trigger: str) -> set[str]:
    source = (ROOT / "function_app.py").read_text()
    return set(re.findall(rf"function_name\(\"(\w+)\"\)\(\s*app\.{trigger}_trigger\(", source))


def test_it_counts_what_is_deployed() -> None:
    rows = re.findall(r"^\| `(Microsoft\.[\w./]+)` \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    for column, environment in ((1, "dev"), (2, "prod")):
        told = {row[0]: int(row[column]) for row in rows if row[column] != "0"}
        assert told == counted(environment)


def test_it_adds_up() -> None:
    rows = re.findall(r"^\| .*? \| ([\d.]+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    prices = [(float(price), int(dev), int(prod)) for price, dev, prod in rows]
    [told] = re.findall(r"^\| \*\*together.*\*\*(\d+)\*\* \| \*\*(\d+)\*\* \|$", PAGE, re.MULTILINE)
    sums = [round(sum(price[0] * price[column] for price in prices)) for column in (1, 2)]
    assert [str(dollars) for dollars in sums] == list(told)
    alerts, endpoints, zones = prices[1:]
    for column, environment in ((1, "dev"), (2, "prod")):
        made = counted(environment)
        assert alerts[column] == made["Microsoft.Insights/scheduledQueryRules"]
        assert endpoints[column] == made["Microsoft.Network/privateEndpoints"]
        assert zones[column] == made["Microsoft.Network/privateDnsZones"]


def test_zones_keep_two_instances_for_each_group_of_functions() -> None:
    site = deployed("prod").only("Microsoft.Web/sites").properties
    scale = site["functionAppConfig"]["scaleAndConcurrency"]
    gigabytes = groups_of_functions() * GROUP_SIZE * scale["instanceMemoryMB"] / 2048 * 2
    assert re.search(rf"2,628,000 s \| 10.51 \| 0 \| {gigabytes:.0f} \|", PAGE)
    assert f"So {groups_of_functions()} groups, {groups_of_functions() * GROUP_SIZE} inst" in PAGE
    assert f"; {gigabytes / groups_of_functions() * 10.51:.0f} for each group" in PAGE


def test_it_has_every_group_of_functions() -> None:
    rows = re.findall(r"^\| (`.*?) \|.*\|$", PAGE.partition("| Group |")[2], re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert told == {"http"} | functions("queue") | functions("timer")


def test_what_it_switches_off_are_functions_and_nothing_is_taken_that_would_wait() -> None:
    [block] = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    given = {name: one["value"] for name, one in json.loads(block).items()}
    made = deploy(MAIN, {**ENVIRONMENTS["prod"], **given})
    config = made.only("Microsoft.Web/sites").properties["siteConfig"]
    settings = {one["name"]: one["value"] for one in config["appSettings"]}
    off = set(re.findall(r"AzureWebJobs\.(\w+)\.Disabled", " ".join(settings)))
    assert off <= functions("queue") | {route.name for route in routes}
    assert {"SubmitBatch", "ResumeRow", "BuryRow"} <= off
    assert "CallBack" not in off or settings["CONNORG_CALLBACK_SECRETS"] == ""


def test_what_is_kept_ready_is_a_group_that_there_is() -> None:
    names = re.findall(r"'([\w:]+)'", text_of(read(MAIN).types["groupName"].value))
    assert names[0] == "http"
    assert {name.removeprefix("function:") for name in names[1:]} <= functions("queue")
