"""What a sheet's columns show, for a person who matches them: samples, the guess, its reason, and open questions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from importer.mapping.document import Node
from importer.mapping.drafting.kinds import Guess, guess_type
from importer.mapping.drafting.matching import Match
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
    attachments.
    """

    name: str
    samples: tuple[str, ...]
    filled: int
    distinct: int
    field: str | None
    reason: str
    kind: ColumnKind
    names_files: bool = False


@dataclass(frozen=True, slots=True)
class KeyCandidate:
    """A column that may identify the rows: why, and in how many rows an earlier key is repeated."""

    column: str
    reason: str
    repeated: int


@dataclass(frozen=True, slots=True)
class SurveyedColumns:
    """What the columns of a sheet show; `keys` has the likeliest first, `rows` are those below the header."""

    columns: tuple[SheetColumn, ...]
    keys: tuple[KeyCandidate, ...]
    rows: int
    guesses: tuple[tuple[str, str, str], ...] = field(repr=False, default=())
    """The fields of the case that were found: each with its column and the reason."""


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
        guesses=tuple((name, match.column, _sentence(match.evidence)) for name, match in seen.matches.items()),
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
        names_files=field_name == "attachments" or profile.files,
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
