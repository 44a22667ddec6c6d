"""python -m tests.benchmarks: connorg beside the obvious function and the durable minimum.

A table, with the least and the greatest of the rounds beside each median; and a JSON file.

Tenant lookup is off, as the obvious function looks nothing up; its price stands in the last column.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from rich.console import Console

from infra.local.child import ROOT
from tests.benchmarks import report
from tests.benchmarks.run import FULL, QUICK, measure

_WIDTH = 200  # columns: the table must not fold where the terminal is narrow or none
console = Console(highlight=False, width=_WIDTH)


def main(arguments: list[str] | None = None) -> int:
    chosen = _arguments(arguments)
    plan = QUICK if chosen.quick else FULL
    samples = measure(plan, lambda text: console.print(f"… {text}", style="dim"))
    samples["machine"] = {"cores": os.cpu_count(), "python": sys.version.split()[0]}
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(report.as_json(samples), indent=1))
    if chosen.markdown:
        print(report.markdown(samples))  # noqa: T201
    else:
        report.show(samples, console)
    loads = ", ".join(f"{load:.1f}" for load in (*samples["load"], os.getloadavg()[0]))
    console.print(
        f"\nMedians of {plan.cold_rounds} cold starts and {plan.rounds} warm rounds, with least and"
        f" greatest; load averages {loads} on {os.cpu_count()} cores."
        f" All figures: {chosen.json}"
    )
    return 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few creates: does it still work?")
    parser.add_argument(
        "--markdown", action="store_true", help="the table as docs/performance.md has it"
    )
    parser.add_argument("--json", type=Path, default=ROOT / ".local/bench.json")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
