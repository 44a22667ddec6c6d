"""Timer triggers (timer extension of Azure Functions)."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from infra.local.functions_host.definition import (
    Function,
    FunctionInErrorError,
    resolve_settings,
)
from infra.local.functions_host.invoker import Invoker
from infra.local.functions_host.schedule import Cron, Every, ScheduleError, parse
from infra.local.functions_host.worker import Call, Json


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Timer:
    """Runs one function on its schedule, in UTC, one run at a time.

    Differs: nothing is kept between two starts, so no run is ever past due; and each host has its
    own timer, while on Azure one instance alone holds the lock of the timer.
    """

    function: Function
    schedule: Cron | Every
    invoker: Invoker
    now: Callable[[], datetime] = _utc_now

    @classmethod
    def of(cls, function: Function, invoker: Invoker, environment: Mapping[str, str]) -> Self:
        """Raise FunctionInErrorError when the schedule is none."""
        text = resolve_settings(str(function.trigger["schedule"]), environment)
        try:
            return cls(function, parse(text), invoker)
        except ScheduleError as fault:
            raise FunctionInErrorError(f"its schedule is none: {fault}") from None

    async def run(self) -> None:
        """Run until cancelled: at once if `runOnStartup`, then whenever it is due."""
        if self.function.trigger.get("runOnStartup"):
            await self.invoke()
        while True:
            now = self.now()
            await asyncio.sleep((self.schedule.next_after(now) - now).total_seconds())
            await self.invoke()

    async def invoke(self) -> None:
        info = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False}
        await self.invoker.run(self.function, Call(Json(json.dumps(info))))
