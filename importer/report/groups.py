"""Issues in groups: what is wrong in which column, how often, and where; of bounded size, however many rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from importer.messages import _, ngettext, shorten
from importer.model import Issue, ReportRow

VALUES_KEPT = 200  # different values that a group remembers
VALUES_SHOWN = 6
SPANS_SHOWN = 40


@dataclass(slots=True)
class Group:
    """The issues of one column with one code; `first` speaks for all of them.

    `values` are the cells' texts, and where an issue is of no cell, what it says.
    """

    first: Issue
    count: int = 0
    spans: list[list[int]] = field(default_factory=list)
    values: dict[str, int] = field(default_factory=dict)
    more_spans: int = 0
    other_values: bool = False

    def add(self, issue: Issue, number: int) -> None:
        """Count one more issue; rows come in the order of the sheet."""
        self.count += 1
        if self.spans and not self.more_spans and number - self.spans[-1][1] in (0, 1):
            self.spans[-1][1] = number
        elif len(self.spans) < SPANS_SHOWN:
            self.spans.append([number, number])
        else:
            self.more_spans += 1
        value = shorten(issue.message if issue.value is None else issue.value)
        if value in self.values or len(self.values) < VALUES_KEPT:
            self.values[value] = self.values.get(value, 0) + 1
        else:
            self.other_values = True

    @property
    def where(self) -> str:
        """The rows, neighbours together: `2-5, 9`."""
        shown = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in self.spans)
        if not self.more_spans:
            return shown
        return ngettext("{shown} and {count} more row", "{shown} and {count} more rows", self.more_spans, shown=shown)

    @property
    def examples(self) -> Iterator[tuple[str, int]]:
        """The values that stand there most often, each with how often."""
        if self.first.value is None and len(self.values) == 1:
            return  # `first` has said it
        often = sorted(self.values.items(), key=lambda pair: -pair[1])
        yield from ((value or _("(empty)"), count) for value, count in often[:VALUES_SHOWN])

    @property
    def more_values(self) -> bool:
        """Whether there are other values than the examples."""
        return self.other_values or len(self.values) > VALUES_SHOWN


def grouped(rows: Iterable[ReportRow]) -> list[Group]:
    """Return the issues of all rows in groups, the most frequent first."""
    groups: dict[tuple[str, str], Group] = {}
    for row in rows:
        for issue in row.issues:
            group = groups.setdefault((issue.column or "", issue.code), Group(issue))
            group.add(issue, row.number)
    return sorted(groups.values(), key=lambda group: -group.count)
