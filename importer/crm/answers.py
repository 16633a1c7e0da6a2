"""What an answer means for the row that was sent: one table, read from the top, where the first line that fits counts.

One rule stands above the table: an id in an answer is never lost. An answer that names a case without being a clear
success leaves the row unknown, whatever its line says; what its line pauses is still paused.

`documented` says whether the vendor's pages describe the line; the other lines follow from what HTTP says of a status,
or from caution alone. An answer that no line fits is unknown. `docs/outcomes.md` shows the same table to users.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from functools import cached_property

from importer.crm.reading import Reading, for_people, ids_in_link, read
from importer.crm.records import says_none
from importer.crm.refusals import known_refusal
from importer.messages import _
from importer.model import Outcome, Pause, Verdict
from importer.text import fold

_IDS_SHOWN = 5
_TAG = re.compile(r"<[^<>]*>")
_NO_WORD = re.compile(r"[^a-z -]")
_VENDORS_SENTENCES = {
    "token limit exceeded",
    "exceeds the limit of simultaneous requests per token",
    "please validate token",
    "please enter the wolkvox-token",
    "the api you want to consult does not exist",
}
"""What the vendor documents as a whole text, which quotes nothing of the row."""


class Shape(Enum):
    """What a line asks of the body."""

    ANY = auto()
    VERDICT = auto()  # a JSON object of the CRM
    SUCCESS = auto()  # one with a code of its own and without an error
    SUCCESS_WITH_ID = auto()  # one that gives a `wolkvox_id` too
    DONE = auto()  # a JSON object with the code 200, or none, that neither says nor is known to mean an error


@dataclass(frozen=True, slots=True)
class Line:
    """One line: which answers it fits, and what they mean.

    `http` holds HTTP statuses, `codes` values of the body's `code`, or of the HTTP status where the body has none.
    `words` are looked for in the CRM's words; any one of them is enough.
    """

    name: str
    http: frozenset[int]
    codes: frozenset[int]
    verdict: Verdict
    documented: bool
    pause: Pause | None = None
    words: tuple[str, ...] = ()
    shape: Shape = Shape.ANY


_OK = frozenset(range(200, 300))
_REFUSAL = frozenset(range(400, 500))
_ANY = frozenset(range(1000))
_LISTED = frozenset({400, 401, 403, 404, 405, 412, 416, 417})

TABLE = (
    Line("created", _OK, frozenset({200}), Verdict.CREATED, documented=True, shape=Shape.SUCCESS_WITH_ID),
    Line("success-without-id", _OK, frozenset({200}), Verdict.UNKNOWN, documented=True, shape=Shape.SUCCESS),
    Line("contradiction", _REFUSAL, _OK, Verdict.UNKNOWN, documented=False),
    Line(
        "simultaneous-requests",
        _OK | _REFUSAL,
        _REFUSAL,
        Verdict.NOT_DELIVERED,
        documented=True,
        pause=Pause.SLOW_DOWN,
        words=("LIMIT OF SIMULTANEOUS REQUESTS",),
    ),
    Line(
        "token-limit",
        _OK | _REFUSAL,
        _REFUSAL,
        Verdict.NOT_DELIVERED,
        documented=True,
        pause=Pause.QUOTA,
        words=("TOKEN LIMIT EXCEEDED",),
    ),
    Line(
        "token-refused",
        _OK | _REFUSAL,
        _REFUSAL,
        Verdict.NOT_DELIVERED,
        documented=True,
        pause=Pause.CREDENTIALS,
        words=("PLEASE VALIDATE TOKEN", "PLEASE ENTER THE WOLKVOX-TOKEN"),
    ),
    Line(
        "no-such-call",
        _OK | _REFUSAL,
        _REFUSAL,
        Verdict.NOT_DELIVERED,
        documented=True,
        pause=Pause.PATH,
        words=("THE API YOU WANT TO CONSULT DOES NOT EXIST",),
    ),
    Line(
        "too-many-requests",
        _OK | _REFUSAL,
        frozenset({429}),
        Verdict.NOT_DELIVERED,
        documented=False,
        pause=Pause.SLOW_DOWN,
    ),
    Line(
        "unauthorised",
        _OK | _REFUSAL,
        frozenset({401}),
        Verdict.NOT_DELIVERED,
        documented=True,
        pause=Pause.CREDENTIALS,
    ),
    Line(
        "moved",
        frozenset({301, 307, 308}),
        _ANY,
        Verdict.NOT_DELIVERED,
        documented=False,
        pause=Pause.REDIRECT,
    ),
    Line("see-other", frozenset(range(300, 400)), _ANY, Verdict.UNKNOWN, documented=False, pause=Pause.REDIRECT),
    Line(
        "no-such-path",
        frozenset({404, 405}),
        _REFUSAL,
        Verdict.NOT_DELIVERED,
        documented=True,
        pause=Pause.PATH,
    ),
    Line("proxy-login", frozenset({407}), _REFUSAL, Verdict.NOT_DELIVERED, documented=False, pause=Pause.PATH),
    Line("rejected", _OK | _LISTED, _LISTED, Verdict.REJECTED, documented=True, shape=Shape.VERDICT),
    Line("too-large", frozenset({413}), _REFUSAL, Verdict.REJECTED, documented=False),
    Line("forbidden-page", frozenset({403}), _REFUSAL, Verdict.UNKNOWN, documented=False, pause=Pause.PATH),
    Line("server-error", frozenset(range(500, 600)), _ANY, Verdict.UNKNOWN, documented=False),
    Line("no-verdict", _ANY, _ANY, Verdict.UNKNOWN, documented=False),
)

_LINES_OF_403 = {"rejected", "forbidden-page"}

_DONE = Line("done", _OK, _OK, Verdict.CREATED, documented=False, shape=Shape.DONE)

TABLE_OF_OTHERS = (_DONE, *(line for line in TABLE if line.shape not in {Shape.SUCCESS, Shape.SUCCESS_WITH_ID}))
"""The table for a contact and for an update, whose answers are documented nowhere.

An id is no part of a success here (`only_with_id` demands it of a contact); one about `0 records` is none.
"""


def interpret(  # noqa: PLR0913 - an answer, and what it answers
    http_status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Iterable[str] = (),
    whole: bool = True,
    is_case: bool = True,
) -> Outcome:
    """Return what an answer means for the row.

    `secrets` are the texts that were sent, including the token; they are masked in the message. `whole` says whether
    the request's body was sent to its last byte: an answer outranks that, except a success. `is_case` is false for a
    contact and an update: an id that they sent themselves, as an update does, is not news in a refusal.
    """
    reading = read(body)
    linked = ids_in_link(_named(headers).get("location", ""))
    secrets = tuple(secrets)
    quoted = _Quoted(secrets)
    own = [wolkvox_id for words, wolkvox_id in reading.possible_ids if not quoted.may_hold(fold(words))]
    ids = dict.fromkeys((*reading.ids, *own, *linked))
    reading = replace(reading, ids=tuple(one for one in ids if is_case or one not in secrets))
    table = TABLE if is_case else TABLE_OF_OTHERS
    line = next(line for line in table if _fits(line, http_status, reading, quoted))
    verdict = _verdict_of(line.verdict, reading, whole=whole)
    say = _sentence if is_case else _sentence_of_others
    created = verdict is Verdict.CREATED
    message = say(verdict, http_status, reading, for_people(reading.words, secrets), whole=whole)
    if line.name in _LINES_OF_403 and _code(http_status, reading) == 403 and known_refusal(reading.words) is None:
        message = _may_be_the_address(message)
    return Outcome(
        verdict=verdict,
        message=message,
        wolkvox_id=reading.wolkvox_id if created else None,
        id_prefijo=reading.id_prefijo if created else None,
        http_status=http_status,
        code=reading.code,
        pause=line.pause,
        retry_after=retry_after(headers),
        ids=reading.ids,
    )


def only_with_id(outcome: Outcome) -> Outcome:
    """Return the outcome of creating a record, unknown where a success gives no id: nothing shows that it is of it."""
    if outcome.verdict is not Verdict.CREATED or outcome.wolkvox_id or outcome.ids:
        return outcome
    return replace(outcome, verdict=Verdict.UNKNOWN, message=_success_without_id(outcome.http_status or 0))


def _verdict_of(verdict: Verdict, reading: Reading, *, whole: bool) -> Verdict:
    """Return the verdict of a line, or unknown where the answer names a case all the same, or is several answers."""
    if verdict is Verdict.CREATED and whole:
        return verdict
    return Verdict.UNKNOWN if verdict is Verdict.CREATED or reading.ids or reading.several else verdict


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for, in seconds or as a date; None where it asks for nothing.

    A date is measured against the server's own clock where the answer shows it, since the clock here may be wrong.
    """
    named = _named(headers)
    wanted = named.get("retry-after")
    if wanted is None:
        return None
    if wanted.isascii() and wanted.isdigit():
        return float(wanted[:9])
    until, now = http_date_seconds(wanted), http_date_seconds(named.get("date", ""))
    if until is None:
        return None
    return max(0.0, until - (time.time() if now is None else now))


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value.strip() for name, value in headers.items()}


def http_date_seconds(text: str) -> float | None:
    """Return a date as HTTP writes it in seconds since 1970, None where the text is not one."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _fits(line: Line, http_status: int, reading: Reading, quoted: _Quoted) -> bool:
    if http_status not in line.http or _code(http_status, reading) not in line.codes:
        return False
    if line.words and not any(_says(reading.texts, phrase, quoted) for phrase in line.words):
        return False
    if line.shape is Shape.ANY:
        return True
    if line.shape is Shape.VERDICT:
        return reading.envelope is not None
    if line.shape is Shape.DONE:
        succeeded = reading.envelope is not None and not reading.failed and _code_succeeds(reading)
        return succeeded and not says_none(reading)
    succeeded = reading.envelope is not None and not reading.failed and reading.code is not None
    return succeeded and (line.shape is Shape.SUCCESS or reading.wolkvox_id is not None)


def _code(http_status: int, reading: Reading) -> int:
    return http_status if reading.code is None else int(reading.code)


def _code_succeeds(reading: Reading) -> bool:
    """Tell whether the code is 200; where there is none, the CRM's words must not be those of a refusal."""
    return reading.code == "200" or (reading.code is None and known_refusal(reading.words) is None)


class _Quoted:
    """The texts that were sent, to tell the CRM's own words from those it quotes, which it may change, cut and join."""

    def __init__(self, sent: tuple[str, ...]) -> None:
        self._sent = sent

    @cached_property
    def _dense(self) -> str:
        """Only their letters and digits, with and without mark-up: spacing and punctuation of a quote do not matter."""
        folded = [fold(text) for text in self._sent]
        return "\n".join(_dense(text) for text in (*folded, *(_TAG.sub("", text) for text in folded)))

    def may_hold(self, phrase: str) -> bool:
        """Tell whether one of them holds the phrase."""
        return _dense(phrase) in self._dense

    def may_hold_part_of(self, phrase: str) -> bool:
        """Tell whether one of them holds two words of the phrase side by side, or is a word of it."""
        words = phrase.split()
        pairs = (" ".join(words[at : at + 2]) for at in range(len(words) - 1))
        return any(map(self.may_hold, pairs)) or any(fold(text) in words for text in self._sent)


def _dense(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text)))


def _says(texts: Iterable[str], phrase: str, quoted: _Quoted) -> bool:
    """Tell whether the CRM says a phrase itself, rather than quoting the row that was sent.

    A text of which the phrase is only a part may be put together from the CRM's words and the row's.
    """
    phrase = fold(phrase)
    saying = [text for text in map(fold, texts) if phrase in text]
    if not saying or quoted.may_hold(phrase):
        return False
    if any(_NO_WORD.sub("", text).strip() in _VENDORS_SENTENCES for text in saying):
        return True
    return not quoted.may_hold_part_of(phrase)


def _may_be_the_address(message: str) -> str:
    """Return the message of a 403 whose words are not known: two public projects send from a fixed address."""
    return _(
        "{message} (403: the CRM may not accept this network's internet address (IP); whoever runs the CRM can allow"
        " it)",
        message=message,
    )


def _sentence(verdict: Verdict, http_status: int, reading: Reading, words: str, *, whole: bool) -> str:
    ids = ", ".join(reading.ids[:_IDS_SHOWN])
    if verdict is Verdict.UNKNOWN and ids and reading.wolkvox_id and not reading.failed and not whole:
        return _(
            "HTTP {status}: the CRM reported success before it had the whole case, so wolkvox_id {ids} may belong "
            "to another case",
            status=http_status,
            ids=ids,
        )
    if verdict is Verdict.UNKNOWN and ids:
        return _(
            "HTTP {status}: the answer is not a clear success, yet it names a case, {ids}; the CRM says: {words}",
            status=http_status,
            ids=ids,
            words=words or "-",
        )
    if verdict is Verdict.UNKNOWN and reading.code == "200" and not reading.failed:
        return _success_without_id(http_status)
    if verdict is Verdict.UNKNOWN and words:
        return _(
            "HTTP {status}, which proves nothing about the case; the CRM says: {words}", status=http_status, words=words
        )
    return words or _("HTTP {status}, without a readable message from the CRM", status=http_status)


def _success_without_id(http_status: int) -> str:
    return _("HTTP {status}: the CRM reports success but gives no id", status=http_status)


def _sentence_of_others(verdict: Verdict, http_status: int, reading: Reading, words: str, *, whole: bool) -> str:
    """Return the sentence for a contact and for an update."""
    if verdict is Verdict.UNKNOWN and not whole and not reading.failed:
        return _(
            "HTTP {status}: the CRM answered before it had the whole request, so the answer may belong to another"
            " request",
            status=http_status,
        )
    if verdict is Verdict.UNKNOWN and reading.ids:
        return _(
            "HTTP {status}: the answer is not a clear success, yet it gives an id, {ids}; the CRM says: {words}",
            status=http_status,
            ids=", ".join(reading.ids[:_IDS_SHOWN]),
            words=words or "-",
        )
    if verdict is Verdict.UNKNOWN and words:
        return _(
            "HTTP {status}, which does not prove whether the CRM carried the request out; the CRM says: {words}",
            status=http_status,
            words=words,
        )
    return words or _("HTTP {status}, without a readable message from the CRM", status=http_status)
