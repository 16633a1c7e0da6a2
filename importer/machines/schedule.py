"""When a queued import begins again, and until when it may send; times are those of the machine that works on it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from importer.errors import UsageError
from importer.messages import _

_TIME_OF_DAY = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def check_schedule(every: str) -> str:
    """Return a schedule as cron writes it; raises UsageError where it is none."""
    from croniter import croniter  # noqa: PLC0415 - comes with the extra `server`

    words = every.split()
    if len(words) != 5 or not croniter.is_valid(every):
        raise UsageError(
            _(
                "{every} is not a schedule. Write minute, hour, day, month and day of the week, as cron does:"
                " `0 7 * * 1` is every Monday at 07:00.",
                every=every,
            )
        )
    return " ".join(words)


def next_start(every: str, after: datetime) -> datetime:
    """Return when a schedule begins next, in this machine's own time."""
    from croniter import croniter  # noqa: PLC0415 - as above

    local = after.astimezone().replace(tzinfo=None)
    found: datetime = croniter(every, local).get_next(datetime)
    return found.astimezone()


def last_start(every: str, by: datetime) -> datetime:
    """Return when a schedule began last, that moment included, in this machine's own time."""
    from croniter import croniter  # noqa: PLC0415 - as above

    local = by.astimezone().replace(tzinfo=None) + timedelta(seconds=1)
    found: datetime = croniter(every, local).get_prev(datetime)
    return found.astimezone()


def next_time(of_day: str, after: datetime) -> datetime:
    """Return the first time after a moment at which the clock of this machine shows `HH:MM`."""
    shown, local = _shown(of_day, after)
    return (shown if shown > local else shown + timedelta(days=1)).astimezone()


def last_time(of_day: str, by: datetime) -> datetime:
    """Return the last time at which the clock of this machine showed `HH:MM`, that moment included."""
    shown, local = _shown(of_day, by)
    return (shown if shown <= local else shown - timedelta(days=1)).astimezone()


def _shown(of_day: str, moment: datetime) -> tuple[datetime, datetime]:
    """Return a time of day on the day of a moment, and the moment, both as the clock of this machine shows them."""
    found = _TIME_OF_DAY.fullmatch(of_day)
    if found is None:
        raise UsageError(_("{value} is not a time of day; write for example 06:30", value=of_day))
    local = moment.astimezone().replace(tzinfo=None)
    return local.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0), local


def now() -> datetime:
    """Return the current time, in the time zone of this machine."""
    return datetime.now(UTC).astimezone()
