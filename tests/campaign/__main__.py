"""Carry out a campaign and print its figures; exit code 1 when an invariant is broken.

python -m tests.campaign --partners 300 --kills 10 --seed 4711
"""

import argparse
import asyncio
import sys
from random import SystemRandom

from rich.console import Console

from infra.local.child import ROOT
from tests.campaign import report
from tests.campaign.campaign import carry_out
from tests.campaign.invariants import broken
from tests.campaign.outages import Strike
from tests.campaign.plan import FAILING, Plan

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    arguments = _arguments()
    plan = Plan.draw(arguments.seed, arguments.partners, arguments.kills)
    console.print(
        f"Seed {plan.seed}: {len(plan.sendings)} requests and messages for {len(plan.partners)}"
        f" partners, {len(plan.kills)} kills; {FAILING:.0%} of the calls to Graph fail."
    )
    log = ROOT / ".local" / f"campaign-{plan.seed}.log"
    evidence = asyncio.run(carry_out(plan, _tell, log))
    console.print()
    report.show(evidence, console)
    faults = broken(evidence)
    for fault in faults:
        console.print(f"[red]Broken:[/] {fault}")
    console.print(f"\n{'Not as promised' if faults else 'As promised'}. What was said: {log}")
    return 1 if faults else 0


def _tell(strike: Strike) -> None:
    console.print(f"{strike.at:6.1f} s  {strike.what}, back at {strike.back_at:.1f} s")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--partners", type=int, default=300)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10_000))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
