"""NCRONTAB schedules: {second} {minute} {hour} {day} {month} {day of week}, or a time span."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS: Sequence[tuple[str, int, int, Sequence[str]]] = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of week", 0, 6, DAYS),
)
PART = re.compile(r"(\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")
SPAN = re.compile(r"(\d+):(\d\d):(\d\d)")
# A schedule for 29 February finds it within that time.
YEARS_AHEAD = 9


class ScheduleError(ValueError):
    """The text is not a schedule; the message says why."""


@dataclass(frozen=True)
class Every:
    """A fixed interval, written as a time span."""

    interval: timedelta

    def next_after(self, moment: datetime) -> datetime:
        return moment + self.interval


@dataclass(frozen=True)
class Cron:
    """A moment fits if each field does, day and day of week both, unlike in Unix cron."""

    seconds: Sequence[int]
    minutes: Sequence[int]
    hours: Sequence[int]
    days: Sequence[int]
    months: Sequence[int]
    weekdays: Sequence[int]

    def next_after(self, moment: datetime) -> datetime:
        """The first fitting moment that is later, in the same time zone."""
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        for _ in range(366 * YEARS_AHEAD):
            if self._fits(day):
                for hour, minute, second in product(self.hours, self.minutes, self.seconds):
                    candidate = day.replace(hour=hour, minute=minute, second=second)
                    if candidate > moment:
                        return candidate
            day += timedelta(days=1)
        raise ScheduleError("the schedule has no next occurrence")

    def _fits(self, day: datetime) -> bool:
        weekday = day.isoweekday() % 7
        return day.day in self.days and day.month in self.months and weekday in self.weekdays


def parse(text: str) -> Cron | Every:
    """The schedule. With five fields it starts with the minutes. Raise ScheduleError."""
    if span := SPAN.fullmatch(text.strip()):
        hours, minutes, seconds = (int(part) for part in span.groups())
        return Every(timedelta(hours=hours, minutes=minutes, seconds=seconds))
    fields = text.split()
    if len(fields) == len(FIELDS) - 1:
        fields = ["0", *fields]
    if len(fields) != len(FIELDS):
        raise ScheduleError(f"'{text}' must have six fields")
    return Cron(*(_values(field, *bounds) for field, bounds in zip(fields, FIELDS, strict=True)))


def _values(text: str, name: str, least: int, most: int, names: Sequence[str]) -> list[int]:
    chosen: set[int] = set()
    for part in text.split(","):
        match = PART.fullmatch(part)
        if not match:
            raise ScheduleError(f"the {name} '{text}' is not understood")
        first = _number(match["first"], least, names) if match["first"] else least
        if match["last"]:
            last = _number(match["last"], least, names)
        else:
            last = first if match["first"] and not match["step"] else most
        step = int(match["step"] or 1)
        if not (least <= first <= last <= most and step):
            raise ScheduleError(f"the {name} '{text}' is not within {least} to {most}")
        chosen.update(range(first, last + 1, step))
    return sorted(chosen)


def _number(text: str, least: int, names: Sequence[str]) -> int:
    if text.isdecimal():
        return int(text)
    if text.lower()[:3] in names:
        return names.index(text.lower()[:3]) + least
    raise ScheduleError(f"'{text}' is not a number")
