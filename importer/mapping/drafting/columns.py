"""What a sheet's columns show, for a person who matches them: samples, the guess, its reason, and open questions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from importer.mapping.document import Node
from importer.mapping.drafting.attached import seems_to_name_files
from importer.mapping.drafting.headers import FIELDS, words_of
from importer.mapping.drafting.kinds import Guess, guess_type
from importer.mapping.drafting.matching import Match, agents_for_both
from importer.mapping.drafting.profiles import Profile
from importer.mapping.drafting.rows import ShownRows
from importer.mapping.drafting.survey import Survey, survey
from importer.messages import _, ngettext
from importer.text import as_sent

if TYPE_CHECKING:
    import pandas as pd

_SAMPLES = 3
_MARK = "<--"  # at the beginning of an evidence that is a question

Options: TypeAlias = tuple[tuple[str, "str | tuple[str, ...]"], ...]
"""Keys of a field and their values, as `MappingEditor.set_column` takes them."""


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """Of which type a column is by its cells, `text` where they prove none.

    `options` are the keys for its field, `evidence` says what the cells prove. `question` is what they leave open, None
    where nothing is; `choices` are then the options of which a person chooses, if they are known.
    """

    type: str
    options: Options
    evidence: str
    question: str | None
    choices: tuple[Options, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A column of the sheet: three different cells, how many are filled and how many of these differ.

    `distinct` is at most what a survey counts. `field` is the field of the case that the column seems to be, and
    `reason` why, as a sentence; None and empty where nothing says so. `names_files`: its cells seem to name
    attachments; `names_person`: its header says that they name whoever the case is of.
    """

    name: str
    samples: tuple[str, ...]
    filled: int
    distinct: int
    field: str | None
    reason: str
    kind: ColumnKind
    names_files: bool = False
    names_person: bool = False


@dataclass(frozen=True, slots=True)
class KeyCandidate:
    """A column that may identify the rows: why, and in how many rows an earlier key is repeated."""

    column: str
    reason: str
    repeated: int


@dataclass(frozen=True, slots=True)
class FieldGuess:
    """A field of the case with the column that it seems to be, and why; `is_sure` unless one had better look at it."""

    field: str
    column: str
    reason: str
    is_sure: bool


@dataclass(frozen=True, slots=True)
class SurveyedColumns:
    """What the columns of a sheet show; `keys` has the likeliest first, `rows` are those below the header.

    `footer` are the numbers of the totals and remarks below the table, which are not among them.
    """

    columns: tuple[SheetColumn, ...]
    keys: tuple[KeyCandidate, ...]
    rows: int
    guesses: tuple[FieldGuess, ...] = field(repr=False, default=())
    """The fields of the case that were found."""
    footer: tuple[int, ...] = ()


def survey_columns(
    columns: Sequence[str], frames: Iterable[pd.DataFrame], hidden: Collection[int] = ()
) -> SurveyedColumns:
    """Return what the columns of a sheet show, without its hidden rows; all frames are read several times."""
    seen = survey(columns, ShownRows(frames, hidden), None, None)
    fields = {match.column: (name, match) for name, match in reversed(list(seen.matches.items()))}
    return SurveyedColumns(
        columns=tuple(_column(profile, fields.get(name)) for name, profile in seen.found.items()),
        keys=tuple(_keys(seen)),
        rows=max((profile.rows for profile in seen.found.values()), default=0),
        guesses=tuple(
            FieldGuess(name, match.column, _sentence(match.evidence), match.is_sure)
            for name, match in agents_for_both(seen.matches).items()
        ),
        footer=seen.footer.rows,
    )


def _column(profile: Profile, found: tuple[str, Match] | None) -> SheetColumn:
    field_name, match = found or (None, None)
    return SheetColumn(
        name=profile.column,
        samples=tuple(islice(filter(None, map(as_sent, profile.counts)), _SAMPLES)),
        filled=profile.filled,
        distinct=len(profile.counts),
        field=field_name if field_name not in {"key", "person", "subject", "attachments"} else None,
        reason=_sentence(match.evidence) if match else "",
        kind=_kind(guess_type(profile)),
        names_files=field_name == "attachments" or seems_to_name_files(profile),
        names_person=field_name == "person" or words_of(profile.column) in FIELDS["person"],
    )


def _kind(guess: Guess) -> ColumnKind:
    is_open = guess.evidence.startswith(_MARK) or "?" in guess.evidence
    text = _sentence(guess.evidence.removeprefix(_MARK).strip())
    return ColumnKind(
        type=str(guess.keys.get("type", "text")),
        options=_options(guess.keys),
        evidence=text,
        question=text if is_open else None,
        choices=tuple(map(_options, guess.choices)),
    )


def _options(keys: dict[str, Node]) -> Options:
    return tuple((key, tuple(map(str, node)) if isinstance(node, list) else str(node)) for key, node in keys.items())


def _sentence(evidence: str) -> str:
    """Return an evidence as a sentence."""
    text = evidence[:1].upper() + evidence[1:]
    return text if text.endswith(("?", ".")) else f"{text}."


def _keys(seen: Survey) -> Iterable[KeyCandidate]:
    """Yield the column that is called like a key, and then those whose cells all differ."""
    match = seen.matches.get("key")
    names = dict.fromkeys([*([match.column] if match else []), *seen.candidates])
    for name in names:
        profile = seen.found[name]
        reasons = [match.evidence] if match and match.column == name else []
        if profile.unique:
            reasons.append(_("all rows differ"))
        if profile.repeated:
            reasons.append(ngettext("{count} row repeats a key", "{count} rows repeat a key", profile.repeated))
        yield KeyCandidate(name, _sentence("; ".join(reasons)), profile.repeated)
