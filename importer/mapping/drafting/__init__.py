"""Propose a mapping: profile the columns, match them to fields, and write each guess with its evidence."""

from importer.mapping.drafting.proposal import draft

__all__ = ["draft"]
