"""What a person is told to do about the rows of a report that cannot be adopted as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from importer.commands import placeholder
from importer.messages import _
from importer.workflow.commands import Commands


@dataclass(frozen=True, slots=True)
class Remedies:
    """What to do about a row of a report, with the commands on it."""

    commands: Commands
    report: Path

    @property
    def again(self) -> str:
        """The command that takes the report over again."""
        return self.commands.adopt(self.report)

    def undo(self) -> str:
        """Say how to bring back a row that was edited."""
        return _(
            "Undo the edit, or copy the row from the report as it was written, and then run `{command}`",
            command=self.again,
        )

    def undo_or_other_name(self) -> str:
        """Say what to do about a row whose reference is not of this import."""
        return _(
            "If it was sent under another import name, adopt the report with the mapping of that name, too;"
            " otherwise undo the edit, or copy the row from the report as it was written, and then run `{command}`",
            command=self.again,
        )

    def id_of_the_case(self) -> str:
        """Say what to do about a row whose id is missing."""
        return _(
            "Write the id that the CRM shows for this row's case, and then run `{command}`; until then the row is"
            " not sent, and `{settle}` can search for its case",
            command=self.again,
            settle=self.commands.settle("--wait"),
        )

    def id_or_empty(self) -> str:
        """Say what to do about an id that cannot be one."""
        return _(
            "Write the id that the CRM shows for this row's case, or empty the cell if it has none, and then run"
            " `{command}`",
            command=self.again,
        )

    def nothing_if_deleted(self) -> str:
        """Say what to do about an id whose case is gone."""
        return _(
            "If this case is gone, nothing needs correcting: the row stays as the journal has it. If the CRM shows"
            " another case of this row, write the id of that one, and then run `{command}`",
            command=self.again,
        )

    def look_at_both(self, reference: str) -> str:
        """Say what to do about a row with two ids."""
        return _(
            "Look at both cases in the CRM, and say which is right: `{command}`, with the id of that case",
            command=self.commands.settle("--by-hand", reference, "--created", placeholder("ID")),
        )

    def bring_back(self) -> str:
        """Say what to do about rows that the report lacks."""
        return _(
            "Adopt the report as it was written, with `{command}`, or restore these rows: rows that are not taken over"
            " would be sent again",
            command=self.again,
        )
