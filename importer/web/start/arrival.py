"""What a sheet is when it comes to the page: what kind of file, and which mappings fit it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from importer import SheetFit, SourceFacts, find_mappings, fit_mapping, fit_mappings, look_at_source, name_is_locked
from importer.messages import _
from importer.web.background import Background, Newest, stamp_of
from importer.web.office import Office, OpenSheet


@dataclass(frozen=True, slots=True)
class SheetArrival:
    """A sheet that was looked at; `fits` has every mapping that was found, the best first."""

    facts: SourceFacts
    fits: tuple[SheetFit, ...]

    @property
    def fitting(self) -> tuple[SheetFit, ...]:
        """The mappings whose columns are all there."""
        return tuple(one for one in self.fits if one.fits)

    @property
    def nearest(self) -> SheetFit | None:
        """The mapping that lacks the fewest columns, if it has at least half of those that it uses."""
        usable = (one for one in self.fits if one.fit is not None and not one.fits)
        for one in usable:
            fit = one.fit
            if fit is not None and len(fit.columns) >= len(fit.missing) + len(fit.ambiguous):
                return one
        return None

    def of(self, mapping: Path | None) -> SheetFit | None:
        """Return how one mapping fits, None where it was not looked at."""
        return next((one for one in self.fits if mapping is not None and same_path(one.path, mapping)), None)

    def needs_tab(self, fit: SheetFit) -> bool:
        """Tell whether a person has to say which sheet of the workbook is meant: the mapping does not, or wrongly."""
        if len(self.facts.tabs) < 2 or fit.fit is None:
            return False
        return fit.error is not None or fit.fit.mapping.table.sheet is None


def same_path(one: Path, other: Path) -> bool:
    """Tell whether two paths are the same as text."""
    return one.absolute() == other.absolute()


def arrival_of(office: Office, sheet: OpenSheet) -> Newest[SheetArrival]:
    """Return what a sheet is; it is looked at in the background, once, and again where it or a mapping changes."""
    if sheet.arrival is None:
        sheet.arrival = Background(partial(_look, office, sheet), partial(_depends_on, office, sheet), office.pool)
    newest: Newest[SheetArrival] = sheet.arrival.now()
    return newest


def _look(office: Office, sheet: OpenSheet) -> SheetArrival:
    facts = look_at_source(sheet.source)
    journal = sheet.job.journal_path
    found = find_mappings(_folders(office, sheet), journal)
    if sheet.mapping is not None and sheet.mapping.exists():
        found = [sheet.mapping, *(one for one in found if not same_path(one, sheet.mapping))]
    return SheetArrival(facts, tuple(fit_mappings(sheet.source, found, journal)))


def _depends_on(office: Office, sheet: OpenSheet) -> object:
    mappings = [sheet.mapping] if sheet.mapping is not None else []
    return sheet.mapping, stamp_of(sheet.source, *mappings, *_folders(office, sheet))


def _folders(office: Office, sheet: OpenSheet) -> list[Path]:
    """Return the folders in which mappings are looked for: the sheet's, that of copies, and those used before."""
    used = (Path(one.mapping).parent for one in office.memory.load().sheets if one.mapping)
    folders = dict.fromkeys((sheet.source.parent, office.copies, *used))
    return [folder for folder in folders if folder.is_dir()]


def last_time(fit: SheetFit) -> str:
    """Return when and with what a mapping was used last, in a few words; "" where it never was."""
    if fit.use is None or fit.use.last_used is None or fit.fit is None:
        return ""
    name = fit.fit.mapping.import_name
    return _("Same as on {day} ({name})", day=_short_day(fit.use.last_used), name=name)


def _short_day(moment: datetime) -> str:
    local = moment.astimezone()
    if local.year == datetime.now().astimezone().year:
        return _("{when:%B %d}", when=local)
    return _("{when:%Y-%m-%d}", when=local)


@dataclass(frozen=True, slots=True)
class FitLine:
    """What stands beside a sheet's name: which import it is, since when, and which of its columns are new.

    `is_first`: no case was created with it yet, so that its columns are not called new.
    """

    name: str
    same_as: str
    new_columns: tuple[str, ...]
    is_first: bool = False


def fit_line(sheet: OpenSheet) -> FitLine | None:
    """Return the line for a sheet that was checked with its mapping, None before that; nothing is read for it."""
    checked = sheet.checker.last.value
    if checked is None or sheet.mapping is None:
        return None
    case_mapping = checked.loaded.case_mapping
    now = fit_mapping(checked.loaded.table, case_mapping, columns_alone=True)
    arrival: SheetArrival | None = sheet.arrival.last.value if sheet.arrival is not None else None
    known = arrival.of(sheet.mapping) if arrival is not None else None
    same_as = last_time(known) if known is not None else ""
    is_first = not name_is_locked(case_mapping.import_name, sheet.job.journal_path) if now.new_columns else True
    return FitLine(case_mapping.import_name, same_as, now.new_columns, is_first)


def headings_to_offer(fit: SheetFit) -> list[str]:
    """Return the sheet's headings that may be a missing column: those that no other column of the mapping has."""
    if fit.fit is None or fit.table is None:
        return []
    used, new = {heading for _column, heading in fit.fit.columns}, fit.fit.new_columns
    return [*new, *(column for column in fit.table.columns if column not in {*used, *new})]
