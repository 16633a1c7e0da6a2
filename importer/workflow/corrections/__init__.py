"""Corrections as data: what a person corrected on the page, in a file beside the source, which every command applies.

The source itself is never changed. `correction` is one line of the file, `file` reads and changes it under a `lock`.
While a sheet is read, `locating` finds the rows that corrections are about, `chain` follows those of every row, and
`applying` puts them into the frames; `state` says what each of them came to, `sheet` how its rows are identified.
Those of `earlier` weeks' sheets are only offered.
"""

from importer.workflow.corrections.applying import CorrectedFrames, apply_corrections
from importer.workflow.corrections.correction import EVERY_ROW, Correction, key_text, row_text, says_the_same
from importer.workflow.corrections.earlier import NO_EARLIER, EarlierCorrection, EarlierCorrections
from importer.workflow.corrections.file import (
    CORRECTIONS_ENDING,
    LONGEST_TEXT,
    CorrectionsFile,
    add_corrections,
    corrections_path,
    load_corrections,
    remove_act,
    rename_digest,
)
from importer.workflow.corrections.locating import Identifying, RowsByKey
from importer.workflow.corrections.sheet import frames_as_written, identifying_columns
from importer.workflow.corrections.state import NO_CORRECTIONS, CorrectionList, CorrectionOutcome, CorrectionState

__all__ = [
    "CORRECTIONS_ENDING",
    "EVERY_ROW",
    "LONGEST_TEXT",
    "NO_CORRECTIONS",
    "NO_EARLIER",
    "CorrectedFrames",
    "Correction",
    "CorrectionList",
    "CorrectionOutcome",
    "CorrectionState",
    "CorrectionsFile",
    "EarlierCorrection",
    "EarlierCorrections",
    "Identifying",
    "RowsByKey",
    "add_corrections",
    "apply_corrections",
    "corrections_path",
    "frames_as_written",
    "identifying_columns",
    "key_text",
    "load_corrections",
    "remove_act",
    "rename_digest",
    "row_text",
    "says_the_same",
]
