"""What time it is for an attempt: within its lease, within its quiet period, or after both.

A lease lasts until the next tick, and with it the attempt's deadline; the quiet period lasts one tick longer.
"""

from __future__ import annotations

from .rules import Rule, Setting
from .state import Attempt, World


def lease_is_over(setting: Setting, world: World, attempt: Attempt) -> bool:
    """Return whether the attempt's lease is over, measured by a process that reads the journal."""
    return _passed(setting, world, attempt, 1)


def quiet_period_is_over(setting: Setting, world: World, attempt: Attempt) -> bool:
    """Return whether the CRM can no longer commit the attempt's case."""
    return _passed(setting, world, attempt, 2)


def sender_lost_its_lease(setting: Setting, world: World, attempt: Attempt) -> bool:
    """Return whether the sender, by its own clock, finds that it may no longer send."""
    if Rule.LEASE_COUNTS_SLEEP in setting.off:
        return False  # all of that time was sleep
    return lease_is_over(setting, world, attempt)


def _passed(setting: Setting, world: World, attempt: Attempt, ticks: int) -> bool:
    if Rule.LEASE_BY_BOOT_CLOCK in setting.off and world.ahead != attempt.ahead:
        return world.ahead  # a year seems to have passed, or to remain
    return world.now >= attempt.begun + ticks
