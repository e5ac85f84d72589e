"""When a secret rotates: the rules of a rotation, checked, and the windows that they open (pure).

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

_MONTHS = {
    "JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6, "JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11,
    "DEC": 12,
}  # fmt: skip
_DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_YEARS_AHEAD = 3


class WrongRules(ValueError):
    """Rules that Secrets Manager does not take; the message is its own."""


@dataclass(frozen=True)
class Rules:
    """Either `days` or `expression`; `duration` is in hours."""

    days: int | None = None
    expression: str | None = None
    duration: int | None = None

    def described(self) -> dict[str, Any]:
        """Return what DescribeSecret tells of the rules."""
        told = {
            "AutomaticallyAfterDays": self.days,
            "ScheduleExpression": self.expression,
            "Duration": f"{self.duration}h" if self.duration else None,
        }
        return {name: value for name, value in told.items() if value is not None}


def read(given: Mapping[str, Any]) -> Rules:
    """Return the rules of a request. Raises WrongRules."""
    days, expression, duration = (
        given.get(name) for name in ("AutomaticallyAfterDays", "ScheduleExpression", "Duration")
    )
    if days is not None and expression is not None:
        raise WrongRules("You can't specify both AutomaticallyAfterDays and ScheduleExpression in RotationRules.")
    if days is not None and not 1 <= int(days) <= 1000:
        raise WrongRules("RotationRules.AutomaticallyAfterDays must be within 1-1000.")
    if duration is not None and not re.fullmatch(r"[1-9]\d?h", str(duration)):
        raise WrongRules("Invalid Duration. It must be a number of hours such as 3h.")
    rules = Rules(
        None if days is None else int(days), expression, None if duration is None else int(str(duration)[:-1])
    )
    if expression is not None:
        next_window(rules, datetime(2026, 1, 1, tzinfo=UTC))
    return rules


def next_window(rules: Rules, after: datetime) -> tuple[datetime, datetime] | None:
    """Return the first window after `after`, the last rotation: when it opens and when it has closed.

    None without a schedule. Raises WrongRules for an expression that is none, or that never comes.
    """
    if rules.days is not None:
        opens = datetime.combine((after + timedelta(days=rules.days)).date(), time(), UTC)
    elif rules.expression is not None:
        opens = _next(rules.expression, after)
    else:
        return None
    is_hourly = rules.expression is not None and (
        "hour" in rules.expression or re.match(r"cron\(\S+ \S*[/,*-]", rules.expression) is not None
    )
    if rules.duration is not None:
        return opens, opens + timedelta(hours=rules.duration)
    if is_hourly:
        return opens, opens + timedelta(hours=1)
    return opens, datetime.combine(opens.date(), time(23, 59, 59), UTC)


def _next(expression: str, after: datetime) -> datetime:
    rate = re.fullmatch(r"rate\((\d+) (hour|hours|day|days)\)", expression)
    if rate is not None:
        hours = int(rate[1]) * (24 if rate[2].startswith("day") else 1)
        if not 4 <= hours <= 999 * 24:
            raise WrongRules("Invalid ScheduleExpression. A rate must be between 4 hours and 999 days.")
        if rate[2].startswith("day"):
            return datetime.combine((after + timedelta(hours=hours)).date(), time(), UTC)
        return after + timedelta(hours=hours)
    cron = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", expression)
    if cron is None:
        raise WrongRules(f"Invalid ScheduleExpression: {expression}. It must be rate(...) or cron(...).")
    return _next_cron(cron.groups(), after)


def _next_cron(fields: Sequence[str], after: datetime) -> datetime:
    minutes, hours, month_days, months, week_days, years = fields
    if minutes != "0":
        raise WrongRules("Invalid ScheduleExpression. The minutes of a cron expression must be 0.")
    if years != "*":
        raise WrongRules("Invalid ScheduleExpression. The year of a cron expression must be *.")
    if (month_days == "?") == (week_days == "?"):
        raise WrongRules("Invalid ScheduleExpression. One of day-of-month and day-of-week must be ?.")
    wanted_hours, wanted_months = set(_values(hours, 0, 23, {})), set(_values(months, 1, 12, _MONTHS))
    day = after.date()
    for _ in range(_YEARS_AHEAD * 366):
        if day.month in wanted_months and _is_wanted(day.year, day.month, day.day, month_days, week_days):
            for hour in sorted(wanted_hours):
                found = datetime.combine(day, time(hour), UTC)
                if found > after:
                    return found
        day += timedelta(days=1)
    raise WrongRules("Invalid ScheduleExpression. It never comes.")


def _is_wanted(year: int, month: int, day: int, month_days: str, week_days: str) -> bool:
    length = calendar.monthrange(year, month)[1]
    if week_days == "?":
        return day == length if month_days == "L" else day in set(_values(month_days, 1, 31, {}))
    # AWS counts from Sunday as 1.
    week_day = calendar.weekday(year, month, day)
    number = (week_day + 1) % 7 + 1
    nth = re.fullmatch(r"(\w+)#([1-5])", week_days)
    if nth is not None:
        return number in _values(nth[1], 1, 7, _DAYS) and (day - 1) // 7 + 1 == int(nth[2])
    last = re.fullmatch(r"([1-7]|[A-Z]{3})L", week_days)
    if last is not None:
        return number in _values(last[1], 1, 7, _DAYS) and day + 7 > length
    return number in set(_values(week_days, 1, 7, _DAYS))


def _values(field: str, least: int, most: int, names: Mapping[str, int]) -> Iterator[int]:
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = least if first == "*" else _number(first, least, most, names)
        end = most if first == "*" or (step and not last) else _number(last or first, least, most, names)
        if step and not step.isdigit():
            raise WrongRules(f"Invalid ScheduleExpression. {part!r} is no step.")
        yield from range(begin, end + 1, int(step or 1) or 1)


def _number(word: str, least: int, most: int, names: Mapping[str, int]) -> int:
    number = names.get(word.upper(), int(word) if word.isdigit() else None)
    if number is None or not least <= number <= most:
        raise WrongRules(f"Invalid ScheduleExpression. {word!r} is not from {least} to {most}.")
    return number
