"""The rules that keep the promise, each with what happens without it.

A rule is on unless it is in the set `off` of a `Setting`. If a rule is off, the model does what a program without it
would do; nothing else changes.
"""

from __future__ import annotations

from enum import StrEnum, auto
from typing import NamedTuple


class Rule(StrEnum):
    """The rules; `RULES` says what each of them is for."""

    INTENT_FIRST = auto()
    NO_POST_WHILE_UNKNOWN = auto()
    ONLY_PROOF_LEADS_BACK = auto()
    LEASE_BEFORE_FIRST_BYTE = auto()
    LEASE_BEFORE_LAST_CHUNK = auto()
    LEASE_COUNTS_SLEEP = auto()
    LEASE_BY_BOOT_CLOCK = auto()
    QUIET_BEGINS_AGAIN_AFTER_RESTART = auto()
    SENDING_UNTIL_LEASE_ENDS = auto()
    ENDINGS_NAME_THEIR_ATTEMPT = auto()
    ATTEMPTS_HAVE_UNIQUE_NAMES = auto()
    LATE_ID_IS_KEPT = auto()
    CREATED_IS_FINAL = auto()
    OWN_CONNECTION = auto()
    IDS_ARE_UNIQUE = auto()
    ID_IN_REFUSAL_IS_KEPT = auto()
    SHORT_UPLOAD_IS_UNKNOWN = auto()
    QUIET_BEFORE_SETTLING = auto()
    QUIET_BEFORE_VERDICT = auto()
    VERDICT_NAMES_ATTEMPT = auto()
    KNOWN_ID_FORBIDS_NOT_CREATED = auto()
    ABSENCE_NEEDS_CONTROL = auto()
    CONTROL_BEGINS_AFTER_QUIET = auto()
    ABSENCE_NEEDS_COMPLETE_PAGE = auto()
    MARK_AT_ITS_OWN_PLACE = auto()
    IDS_OF_OTHER_ROWS_EXCLUDED = auto()
    EXCLUDED_HIT_IS_NO_ABSENCE = auto()
    HIGH_WATER_MARK = auto()
    MARK_BEFORE_FIRST_BYTE = auto()
    FILE_IS_WATCHED = auto()
    UNKNOWN_MACHINE_ASKS = auto()
    DELETED_IS_SEARCHED_FIRST = auto()
    GONE_CASE_IS_NO_HIT = auto()
    GONE_CASE_IS_NO_ANSWER = auto()
    DELETED_AWAITS_NEWER_ATTEMPTS = auto()
    ONE_UPDATE_AT_A_TIME = auto()
    UPDATE_ASKS_ITS_LEASE = auto()
    UPDATE_WAITS_FOR_QUIET = auto()
    HASH_MOVES_ON_SUCCESS = auto()
    HASH_MOVES_FOR_THE_NEWEST = auto()
    LOST_UPDATE_IS_AWAITED = auto()
    FAILED_UPDATE_LEAVES_THE_ONE_BEFORE = auto()


class Promise(StrEnum):
    """What must never be broken; `invariants.py` says when it is."""

    ONE_CASE = "at most one case for each row"
    NO_ID_LOST = "no id that arrived is lost"
    RIGHT_ID = "the id of a created row is its own case's, or the row is flagged as disputed"
    DOUBT_NAMED = "a row whose case exists is created or named as doubtful"
    NO_FALSE_DOUBT = "no row is named as doubtful while its answer is still awaited within its lease"
    RIGHT_CONTENT = "a case whose row counts as unchanged has the row's content"


class Setting(NamedTuple):
    """What is explored: how many rows and processes, which mishaps may happen, and which rules are off.

    Mishaps are off unless named, so that each exploration stays small. `ticks` bounds the time and `attempts` the
    POSTs of a row; a lease lasts until the next tick, a quiet period until the one after.
    """

    rows: int = 1
    processes: int = 1
    ticks: int = 4
    attempts: int = 2
    searches: bool = False  # settling asks the CRM, whose index lags, and may make a control
    believes_absence: bool = True  # the doctor has verified the search; without that, an empty result proves nothing
    pages: bool = False  # an answer to a search may be an incomplete page
    person: bool = False  # a person looks, notes a verdict and gives it, perhaps twice, perhaps late
    refusals: bool = False  # the CRM refuses, or says that it refuses but creates the case
    long_bodies: bool = True  # more than one chunk
    short_uploads: bool = False  # a success comes before all of the body was sent
    repeating_proxy: bool = False  # another row's answer is given once more
    crossing_proxy: bool = False  # another row's answer, not read yet, is given
    quotes: bool = False  # the case of row 2 shows the mark of row 1
    copies: bool = False  # a copy of the journal is made, and put back
    second_computer: bool = False  # the second process is on another machine, with a copy of the journal
    wall_clock_jumps: bool = False  # it jumps a year ahead, and back
    restarts: bool = False  # the computer restarts once, which ends all processes
    deletions: bool = False  # a person deletes a case in the CRM, and says so, or says so by mistake
    updates: bool = False  # instead of all that: one created row, edited and updated (`updates.py`)
    crm_keeps_the_quiet_period: bool = True  # the assumption: what is not committed by then never is
    off: frozenset[Rule] = frozenset()


SETTINGS = {
    "one row, two processes": Setting(processes=2, searches=True, pages=True, attempts=3),
    "a person and refusals": Setting(processes=2, person=True, refusals=True, long_bodies=False, attempts=3),
    "two rows, a network that mixes answers": Setting(
        rows=2, short_uploads=True, repeating_proxy=True, searches=True, refusals=True, attempts=1, ticks=2
    ),
    "two rows, a network that crosses answers": Setting(
        rows=2, crossing_proxy=True, searches=True, long_bodies=False, ticks=2
    ),
    "two rows, searches that show too much": Setting(
        rows=2, searches=True, quotes=True, long_bodies=False, attempts=1, ticks=2
    ),
    "a copy is put back": Setting(processes=2, copies=True, searches=True, long_bodies=False, attempts=3, ticks=3),
    "a second computer": Setting(processes=2, second_computer=True, searches=True, long_bodies=False, ticks=3),
    "a wall clock that jumps": Setting(processes=2, wall_clock_jumps=True, person=True, long_bodies=False),
    "the computer restarts": Setting(restarts=True, person=True, searches=True, long_bodies=False),
    "a case is deleted": Setting(processes=2, deletions=True, searches=True, long_bodies=False, ticks=3),
    "an edited row is updated": Setting(processes=2, updates=True, attempts=3, ticks=3),
}

DEEP = {
    "everything that one row can meet": Setting(
        processes=2, searches=True, pages=True, person=True, refusals=True, long_bodies=False, attempts=3, ticks=5
    ),
    "a copy is put back, and a person decides": Setting(
        processes=2, copies=True, person=True, refusals=True, long_bodies=False, attempts=3
    ),
    "two rows, two processes, a network that mixes answers": Setting(
        rows=2, processes=2, repeating_proxy=True, searches=True, long_bodies=False, ticks=2
    ),
}
"""Several mishaps at once: minutes of exploring, for changes of a rule (`--deep`)."""


class Reason(NamedTuple):
    """A rule in one sentence, what happens without it, which promise breaks, and which setting shows that."""

    rule: str
    without: str
    breaks: Promise
    seen_in: str


_TWO, _PERSON, _NETWORK, _CROSSING, _SEARCH, _COPY, _SECOND, _CLOCK, _RESTART, _DELETED, _UPDATED = SETTINGS

RULES = {
    Rule.INTENT_FIRST: Reason(
        "The intent to send a row is committed before the first byte of its request.",
        "A process that is killed after sending leaves the row planned, and the next run sends it again.",
        Promise.ONE_CASE,
        _TWO,
    ),
    Rule.NO_POST_WHILE_UNKNOWN: Reason(
        "A row whose case may exist is not sent.",
        "The next run makes a second case of a row whose answer was lost.",
        Promise.ONE_CASE,
        _TWO,
    ),
    Rule.ONLY_PROOF_LEADS_BACK: Reason(
        "Only proof that a request was not delivered makes its row planned again; a lost answer makes it unknown.",
        "A time-out is taken for a failure, and the row is sent again.",
        Promise.ONE_CASE,
        _TWO,
    ),
    Rule.LEASE_BEFORE_FIRST_BYTE: Reason(
        "A process asks whether its lease still holds right before the first byte.",
        "A process sleeps after its intent and sends late: the CRM commits after the quiet period has been believed.",
        Promise.ONE_CASE,
        _TWO,
    ),
    Rule.LEASE_BEFORE_LAST_CHUNK: Reason(
        "A process asks again before the last chunk, without which the CRM makes no case.",
        "A process sleeps in the middle of its upload and completes it late, with the same result.",
        Promise.ONE_CASE,
        _TWO,
    ),
    Rule.LEASE_COUNTS_SLEEP: Reason(
        "The lease is measured by a clock that goes on while the computer sleeps.",
        "After a night's sleep the lease seems to hold, and the row is sent when its quiet period is long over.",
        Promise.ONE_CASE,
        _TWO,
    ),
    Rule.LEASE_BY_BOOT_CLOCK: Reason(
        "Leases and quiet periods are measured since the computer's start, not by the wall clock.",
        "While the wall clock is a year ahead, the lease and the quiet period of a row in flight seem to be over.",
        Promise.ONE_CASE,
        _CLOCK,
    ),
    Rule.QUIET_BEGINS_AGAIN_AFTER_RESTART: Reason(
        "After a restart of the computer, whose clock began again, the lease and the quiet period begin again.",
        "The time since the attempt is taken for long enough while the CRM still works on its request.",
        Promise.ONE_CASE,
        _RESTART,
    ),
    Rule.SENDING_UNTIL_LEASE_ENDS: Reason(
        "A row that is being sent becomes unknown when its lease is over, not because another process looks.",
        "A person is asked about a row whose answer is on its way.",
        Promise.NO_FALSE_DOUBT,
        _TWO,
    ),
    Rule.ENDINGS_NAME_THEIR_ATTEMPT: Reason(
        "The end of an attempt changes its row only while the row's state is about that attempt.",
        "An old attempt's 'not delivered' makes a row planned whose newer attempt is unknown.",
        Promise.ONE_CASE,
        _TWO,
    ),
    Rule.ATTEMPTS_HAVE_UNIQUE_NAMES: Reason(
        "An attempt has a name that is never given again, not even in a copy of the journal.",
        "In a copy that was put back, numbers are given again: the end of an old attempt ends another one.",
        Promise.ONE_CASE,
        _COPY,
    ),
    Rule.LATE_ID_IS_KEPT: Reason(
        "An id in a late answer is kept, whatever the row's state is by then.",
        "The id that a process reads after its lease is thrown away.",
        Promise.NO_ID_LOST,
        _TWO,
    ),
    Rule.CREATED_IS_FINAL: Reason(
        "A created row never loses its id; a late ending that knows less changes nothing.",
        "A process wakes up, finds its connection broken, and makes a row unknown that a search has found meanwhile.",
        Promise.NO_ID_LOST,
        _TWO,
    ),
    Rule.OWN_CONNECTION: Reason(
        "Each case has a connection of its own, which is closed after the answer.",
        "An answer that comes late, or twice, is read as the answer to the next row's request.",
        Promise.RIGHT_ID,
        _NETWORK,
    ),
    Rule.IDS_ARE_UNIQUE: Reason(
        "An answer with an id that another row holds or has noted makes the newcomer unknown, the holder disputed.",
        "A proxy that repeats an answer gives one id to two rows, and both look right.",
        Promise.RIGHT_ID,
        _NETWORK,
    ),
    Rule.ID_IN_REFUSAL_IS_KEPT: Reason(
        "A refusal that carries an id makes the row unknown, and the id is noted.",
        "The row counts as rejected, is corrected and sent again, and has two cases.",
        Promise.ONE_CASE,
        _PERSON,
    ),
    Rule.SHORT_UPLOAD_IS_UNKNOWN: Reason(
        "A success that comes before all of the body was sent makes the row unknown.",
        "The journal calls a row created whose case was never made.",
        Promise.RIGHT_ID,
        _NETWORK,
    ),
    Rule.QUIET_BEFORE_SETTLING: Reason(
        "A search decides nothing before the quiet period after the attempt's lease is over.",
        "The CRM is asked while it still works on the request; the row is sent again, and both are committed.",
        Promise.ONE_CASE,
        _TWO,
    ),
    Rule.QUIET_BEFORE_VERDICT: Reason(
        "A person's verdict is taken after the quiet period only.",
        "A person looks while the CRM still works on the request; the row is sent again, and both are committed.",
        Promise.ONE_CASE,
        _PERSON,
    ),
    Rule.VERDICT_NAMES_ATTEMPT: Reason(
        "A verdict is about the attempt that the person looked at, and about no later one.",
        "The same sheet, given twice, calls the second attempt 'not created' as well.",
        Promise.ONE_CASE,
        _PERSON,
    ),
    Rule.KNOWN_ID_FORBIDS_NOT_CREATED: Reason(
        "'Not created' is refused for a row of which an id is known.",
        "A typing mistake sends a row again whose case the journal could have named.",
        Promise.ONE_CASE,
        _PERSON,
    ),
    Rule.ABSENCE_NEEDS_CONTROL: Reason(
        "An empty search result is believed only where the same search shows another case that is known to exist.",
        "The index lags, the search finds nothing, and the row is sent again.",
        Promise.ONE_CASE,
        _TWO,
    ),
    Rule.CONTROL_BEGINS_AFTER_QUIET: Reason(
        "That other case, the control, was sent after the doubtful attempt's quiet period, not just after its lease.",
        "The index shows a control from within the quiet period, but not the doubtful case, which was committed later.",
        Promise.ONE_CASE,
        _TWO,
    ),
    Rule.ABSENCE_NEEDS_COMPLETE_PAGE: Reason(
        "An empty search result is believed only where the answer is known to be complete.",
        "The case is on the next page, and the row is sent again.",
        Promise.ONE_CASE,
        _TWO,
    ),
    Rule.MARK_AT_ITS_OWN_PLACE: Reason(
        "A record is a row's case only where the row's mark is at the place where the importer writes it.",
        "The case of another row, whose text quotes the mark, is taken for this row's.",
        Promise.RIGHT_ID,
        _SEARCH,
    ),
    Rule.IDS_OF_OTHER_ROWS_EXCLUDED: Reason(
        "A record whose id another row holds is not this row's case.",
        "A person copied this row's mark into the case of another row: that case is taken for this row's as well.",
        Promise.RIGHT_ID,
        _SEARCH,
    ),
    Rule.EXCLUDED_HIT_IS_NO_ABSENCE: Reason(
        "A search that shows only an id of another row proves nothing: still unknown, and the other row is disputed.",
        "Row 2 got the id of row 1's case. The search for row 1 shows that case, does not count it, and row 1 is sent"
        " again.",
        Promise.ONE_CASE,
        _CROSSING,
    ),
    Rule.HIGH_WATER_MARK: Reason(
        "A count of its intents, the mark, is kept apart from the journal; a journal below its mark is refused.",
        "An older copy of the journal is put back, and rows that were sent since are sent again.",
        Promise.ONE_CASE,
        _COPY,
    ),
    Rule.MARK_BEFORE_FIRST_BYTE: Reason(
        "The mark is raised after the intent's commit and before the first byte.",
        "The copy is put back while a process waits for its answer; the mark does not know of the attempt yet.",
        Promise.ONE_CASE,
        _COPY,
    ),
    Rule.FILE_IS_WATCHED: Reason(
        "Before first byte and last chunk, a process checks that the journal is still the file with its intent.",
        "The copy is put back between an intent and its mark; a second process claims the row, and both send it.",
        Promise.ONE_CASE,
        _COPY,
    ),
    Rule.UNKNOWN_MACHINE_ASKS: Reason(
        "A machine that has no mark for a journal sends nothing until a person has confirmed that the journal moved.",
        "A copy of the journal on a second computer sends the same rows.",
        Promise.ONE_CASE,
        _SECOND,
    ),
    Rule.DELETED_IS_SEARCHED_FIRST: Reason(
        "A case that a person calls deleted is searched for first, and a hit refuses that.",
        "A mistake plans a row whose case is there, and it is sent again.",
        Promise.ONE_CASE,
        _DELETED,
    ),
    Rule.GONE_CASE_IS_NO_HIT: Reason(
        "A search that shows a case which a person called deleted has found nothing.",
        "The index still shows it, and the row that was sent again gets its id.",
        Promise.RIGHT_ID,
        _DELETED,
    ),
    Rule.GONE_CASE_IS_NO_ANSWER: Reason(
        "An answer with the id of a case that a person called deleted makes the row unknown.",
        "The late answer to the first attempt gives the row the id of the case that is gone.",
        Promise.RIGHT_ID,
        _DELETED,
    ),
    Rule.DELETED_AWAITS_NEWER_ATTEMPTS: Reason(
        "If a newer attempt of the row has no known outcome, the row is about that one after its case is gone.",
        "A late answer made the row created while a second attempt was in flight; its case exists, the row is sent.",
        Promise.DOUBT_NAMED,
        _DELETED,
    ),
    Rule.ONE_UPDATE_AT_A_TIME: Reason(
        "While an update of a case is under way, no other one begins.",
        "Two processes send two contents, and the older one is committed last.",
        Promise.RIGHT_CONTENT,
        _UPDATED,
    ),
    Rule.UPDATE_ASKS_ITS_LEASE: Reason(
        "An update asks its lease right before the first byte.",
        "A process sleeps after its intent, and sends an old content after a newer one.",
        Promise.RIGHT_CONTENT,
        _UPDATED,
    ),
    Rule.UPDATE_WAITS_FOR_QUIET: Reason(
        "After an update whose answer is missing, the next one waits for its deadline and the quiet period.",
        "The lost one is committed after the newer one.",
        Promise.RIGHT_CONTENT,
        _UPDATED,
    ),
    Rule.HASH_MOVES_ON_SUCCESS: Reason(
        "What the journal knows of a row's content moves when its update has succeeded, and only then.",
        "An update that never arrived makes its row look unchanged.",
        Promise.RIGHT_CONTENT,
        _UPDATED,
    ),
    Rule.HASH_MOVES_FOR_THE_NEWEST: Reason(
        "A success that comes late moves it only if no newer update has begun.",
        "A process wakes up with the success of an older content, and the case has a newer one.",
        Promise.RIGHT_CONTENT,
        _UPDATED,
    ),
    Rule.LOST_UPDATE_IS_AWAITED: Reason(
        "A row whose last update may have arrived counts as changed, even if it was edited back.",
        "The edit was lost and undone: the row looks as the journal knows it, and the case has the edit.",
        Promise.RIGHT_CONTENT,
        _UPDATED,
    ),
    Rule.FAILED_UPDATE_LEAVES_THE_ONE_BEFORE: Reason(
        "After an update that was not delivered, or refused, the row is about the one before it again.",
        "An edit was lost, its undoing not delivered: the row looks unchanged, and the case has the edit.",
        Promise.RIGHT_CONTENT,
        _UPDATED,
    ),
}
