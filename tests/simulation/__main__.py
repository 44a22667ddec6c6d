"""Run schedules by the thousand, or one of them again with all that happened.

python -m tests.simulation --schedules 100000 --seed 0 --jobs 2
python -m tests.simulation --schedules 50 --seed commit
python -m tests.simulation --replay 4711
"""

import argparse
import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.commit import commit_number
from tests.simulation.campaign import run_all
from tests.simulation.schedule import run

if TYPE_CHECKING:
    from tests.simulation.host_faults import HostFault

_SHOWN = 5  # broken schedules of which the trace is printed


def main() -> int:
    arguments = _arguments()
    if arguments.replay:
        reports = [run(seed, tracing=True) for seed in arguments.replay]
        _say("\n".join(map(str, reports)))
        return 1 if any(report.broken for report in reports) else 0
    seeds = range(arguments.seed, arguments.seed + arguments.schedules)
    began = time.monotonic()
    broken = []
    faults: Counter[HostFault] = Counter()
    for done, report in enumerate(run_all(seeds, arguments.jobs), start=1):
        if report.broken:
            broken.append(report)
            if len(broken) <= _SHOWN:
                _say(f"{report}\n")
        faults += report.host_faults
        if done % 10_000 == 0:
            _say(f"{done:,} of {len(seeds):,} schedules, {len(broken)} broken")
    seconds = time.monotonic() - began
    _say(
        f"{len(seeds):,} schedules from seed {arguments.seed} in {seconds:.0f} s:"
        f" {len(broken)} broken {sorted(report.seed for report in broken)[:50]}"
    )
    for fault, times in faults.most_common():
        _say(f"{times:>12,} times {fault}")
    return 1 if broken else 0


def _say(text: object) -> None:
    print(text, flush=True)  # noqa: T201  what the command is for


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=2000)
    parser.add_argument(
        "--seed",
        type=_seed,
        default=0,
        help="of the first schedule; `commit`: one that changes with the commit",
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--replay", type=int, nargs="+", metavar="SEED", help="run single schedules and trace them"
    )
    return parser.parse_args()


def _seed(text: str) -> int:
    return commit_number() if text == "commit" else int(text)


if __name__ == "__main__":
    sys.exit(main())
