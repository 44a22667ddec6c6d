"""docs/what-if.md counts what there is, and adds it up rightly."""

import re
from collections import Counter

from tests.infra.app_settings import ROOT
from tests.infra.environments import deployed

PAGE = (ROOT / "docs/what-if.md").read_text()
GROUP_SIZE = 2  # instances, which zone redundancy keeps for each


def counted(environment: str) -> Counter[str]:
    return Counter(one.type_name for one in deployed(environment).resources if not one.existing)


def groups_of_functions() -> int:
    """All that is called by HTTP scales as one, warm-up with it; everything else by itself."""
    source = (ROOT / "function_app.py").read_text()
    return 1 + len(re.findall(r"app\.(?:queue|timer)_trigger\(", source))


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
