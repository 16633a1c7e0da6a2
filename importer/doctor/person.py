"""The person whom the doctor asks, without a word of how the questions are shown."""

from __future__ import annotations

from typing import Literal, Protocol

from importer.doctor.case import TestCase

Answer = Literal["yes", "no", "unknown"]


class Person(Protocol):
    """Whoever gave the command, at a terminal."""

    def allows(self, case: TestCase) -> bool:
        """Return whether this case, shown in full, may be created."""

    def larger(self) -> int:
        """Return of how many bytes the attachment of a second, larger case may be; 0 for no such case."""

    def crowded(self, field: str) -> str:
        """Return a value of this query field by which many cases are found, empty where the person names none."""

    def saw(self, question: str) -> Answer:
        """Return what the person saw in the CRM."""

    def told(self, sentence: str) -> None:
        """Be told how it goes."""
