"""What a sheet shows as a whole: its columns, which fields they are, and what its rows are to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importer.mapping.drafting.headers import AMOUNTS
from importer.mapping.drafting.kinds import guess_type, is_of
from importer.mapping.drafting.matching import Match, match_headers
from importer.mapping.drafting.profiles import Profile, profile_columns
from importer.mapping.drafting.rows import Footer, find_footer, merged_columns, varying_columns

if TYPE_CHECKING:
    import pandas as pd

_EVENT_LOG = 0.1  # of the rows repeat a key: more than by mistake


@dataclass(frozen=True)
class Survey:
    """What a draft is made from.

    `merged` are the columns whose merged cells are to be filled. `varying` are those that differ from line to line of
    one ticket, and `joined` the texts among them. Where only the status and dates vary, the lines are a log of states.
    """

    found: Mapping[str, Profile]
    matches: Mapping[str, Match]
    footer: Footer
    merged: Sequence[str] = ()
    joined: Sequence[str] = ()
    varying: Sequence[str] = ()

    @property
    def has_lines(self) -> bool:
        """Whether several rows are lines of one ticket, and not its states one after the other."""
        return any(not self._tells_state(column) for column in self.varying)

    def takes_last(self, column: str) -> bool:
        """Return whether the last line of a ticket says what is in a column now."""
        return self.has_lines and column in self.varying and column not in self.joined

    def _tells_state(self, column: str) -> bool:
        status = self.matches.get("status")
        is_status = status is not None and status.column == column
        return is_status or guess_type(self.found[column]).keys.get("type") in {"date", "datetime", "time"}

    @property
    def key(self) -> str | None:
        """The column that is the key by its header, or else by its cells."""
        match = self.matches.get("key")
        return match.column if match else next(iter(self.candidates), None)

    @property
    def candidates(self) -> list[str]:
        """The columns that could be a key by their cells: all differ, and nothing says that they are anything else."""
        others = {match.column for field, match in self.matches.items() if field != "key"}
        return [column for column, profile in self.found.items() if column not in others and _could_be_a_key(profile)]

    def repeats(self, column: str) -> bool:
        """Return whether a column repeats its texts too often for mistakes."""
        profile = self.found[column]
        return profile.repeated > 0 and profile.repeated >= _EVENT_LOG * profile.rows


def _could_be_a_key(profile: Profile) -> bool:
    if not profile.unique or profile.is_free_text or is_of(profile, AMOUNTS):
        return False
    return guess_type(profile).keys.get("type") in {None, "integer"}


def survey(
    columns: Sequence[str], frames: Iterable[pd.DataFrame], filled: Iterable[pd.DataFrame] | None, key: str | None
) -> Survey:
    """Return what a sheet shows; `filled` are its frames with merged cells filled, `key` a known key's column."""
    merged = merged_columns(columns, frames, filled) if filled is not None else []
    if merged and filled is not None:
        frames = filled
    footer = find_footer(columns, frames)
    found = profile_columns(columns, frames, footer.rows)
    seen = Survey(found, match_headers(found), footer, merged)
    key = key or (seen.matches["key"].column if "key" in seen.matches else None)
    if key is None or not seen.repeats(key):
        return seen
    varying = varying_columns(columns, frames, key, footer.rows)
    joined = [column for column in varying if found[column].is_free_text]
    return Survey(found, seen.matches, footer, merged, joined, varying)
