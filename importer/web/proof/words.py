"""What the page says of a verification: its price, how far it is, and what it came to, in one sentence for the boss."""

from __future__ import annotations

from collections.abc import Iterator

from importer import CaseProof, Difference, Verification, VerifyForecast
from importer.messages import _, ngettext, shown
from importer.web.field_names import field_name


def price(forecast: VerifyForecast) -> Iterator[str]:
    """Yield what asking costs."""
    yield ngettext(
        "The CRM is asked for {count} case. Nothing is changed there.",
        "The CRM is asked for {count} cases. Nothing is changed there.",
        forecast.wanted,
    )
    if forecast.remembered:
        yield ngettext(
            "{count} more was checked before and has not changed since: it is not asked for again.",
            "{count} more were checked before and have not changed since: they are not asked for again.",
            forecast.remembered,
        )
    calls = ngettext("That takes {count} call.", "That takes {count} calls.", forecast.calls)
    if forecast.further:
        calls = ngettext(
            "That takes {calls} calls, and at most {count} more where one answer does not show every case.",
            "That takes {calls} calls, and at most {count} more where one answer does not show every case.",
            forecast.further,
            calls=shown(forecast.calls, ",d"),
        )
    yield calls
    if forecast.calls_left is not None:
        yield ngettext("{count:,d} call is left today.", "{count:,d} calls are left today.", forecast.calls_left)
    if forecast.calls_today < forecast.calls:
        yield _("Today that is not enough for all of them: what is left can be asked another day.")


def sentences(done: Verification) -> tuple[str, str]:
    """Return what the hand-over says: that the rows add up, and what the CRM showed of the cases."""
    rows, cases = done.rows.rows, done.rows.created
    parts = [
        ngettext("{count} case", "{count} cases", cases),
        ngettext("{count} exception", "{count} exceptions", rows - cases),
    ]
    whole = ngettext("Of {count} row: {parts}.", "Of {shown} rows: {parts}.", rows, shown=shown(rows, ","),
                     parts=", ".join(parts))  # fmt: skip
    results = ", ".join(_results(done))
    checked = ngettext("Checked {count}: {results}.", "Checked {count}: {results}.", done.counts.asked, results=results)
    return whole, checked


def _results(done: Verification) -> Iterator[str]:
    results = done.counts.results
    if (equal := results.get("equal", 0)) or not done.counts.asked:
        yield ngettext("{count} the same", "{count} the same", equal)
    if count := results.get("differs", 0):
        yield ngettext("{count} different", "{count} different", count)
    if count := results.get("edited", 0):
        yield ngettext("{count} edited since", "{count} edited since", count)
    if count := results.get("not-found", 0):
        yield ngettext("{count} not shown by the CRM", "{count} not shown by the CRM", count)
    if count := results.get("unanswered", 0):
        yield ngettext("{count} without an answer", "{count} without an answer", count)


def files(done: Verification) -> str:
    """Return how many attachments the CRM showed; empty where none were sent or none could be shown."""
    counts = done.counts
    sent = sum(proof.files_sent for proof in done.proofs)
    if not sent:
        return ""
    return _("Attachments of these cases: the CRM shows {shown} of {sent}.", shown=counts.files_shown, sent=sent)


def not_shown(done: Verification) -> str:
    """Return which fields the CRM's answers did not show, so that they prove nothing; empty where there are none."""
    fields = done.counts.fields_not_shown
    if not fields:
        return ""
    listed = ", ".join(f"{field_name(name)} ({count})" for name, count in fields.items())
    return _("Not compared, because the CRM's answer does not show it: {fields}.", fields=listed)


def empty_in_sheet(done: Verification) -> str:
    """Return which fields were not compared because the sheet leaves them empty; empty where there are none."""
    fields = done.counts.fields_empty
    if not fields:
        return ""
    listed = ", ".join(f"{field_name(name)} ({count})" for name, count in fields.items())
    return _("Not compared, because the sheet leaves it empty: {fields}.", fields=listed)


def difference(one: Difference) -> str:
    """Return the field in which a case differs, with its column where it has one."""
    name = field_name(one.field)
    return name if one.column in {None, name} else f"{name} ({one.column})"


def unproven(done: Verification) -> list[CaseProof]:
    """Return the cases that the CRM did not show, did not answer for, or shows without what was edited since."""
    return [proof for proof in done.proofs if proof.result in {"edited", "not-found", "unanswered"}]
