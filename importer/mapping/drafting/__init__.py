"""Propose a mapping: profile the columns, match them to fields, and write each guess with its evidence."""

from importer.mapping.drafting.columns import ColumnKind, KeyCandidate, SheetColumn, SurveyedColumns, survey_columns
from importer.mapping.drafting.other_tables import OtherSheet
from importer.mapping.drafting.proposal import draft

__all__ = ["ColumnKind", "KeyCandidate", "OtherSheet", "SheetColumn", "SurveyedColumns", "draft", "survey_columns"]
