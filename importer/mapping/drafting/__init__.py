"""Proposing a mapping: columns are profiled, matched to fields, and written down, the evidence beside each guess."""

from importer.mapping.drafting.proposal import draft

__all__ = ["draft"]
