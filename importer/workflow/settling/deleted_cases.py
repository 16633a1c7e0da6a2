"""A case that a person calls deleted: what the CRM has to answer before that counts."""

from __future__ import annotations

from importer.crm import Crm, hit_of
from importer.errors import ConnectionRefused, QuestionRefused, ServerUnreachable, UsageError
from importer.messages import _
from importer.workflow.settling.search import BY_ID


def refuse_if_shown(crm: Crm, case: str, reference: str) -> None:
    """Raise unless the CRM answers by a believed empty list that it has no case with this id.

    Raises UsageError where it still shows that very case, QuestionRefused, ServerUnreachable or ConnectionRefused where
    its answer proves nothing.
    """
    try:
        found = crm.query_cases(BY_ID, case)
    except (ServerUnreachable, ConnectionRefused) as error:
        raise type(error)(
            _(
                "--deleted: the CRM was asked for {id}, and gave no answer that counts. Nothing was recorded; try"
                " again. {reason}",
                id=case,
                reason=error,
            )
        ) from error
    if any(hit_of(each).wolkvox_id == case for each in found.records):
        raise UsageError(
            _(
                "--deleted: the CRM still shows {id}, the case of {reference}. Nothing was recorded: if it is"
                " deleted there, wait until the CRM no longer finds it.",
                id=case,
                reference=reference,
            )
        )
    if found.records or not found.believed:
        raise QuestionRefused(
            _(
                "--deleted: the CRM's answer does not say that there is no case {id}: it shows other cases, or"
                " cannot be read. Nothing was recorded; try again.",
                id=case,
            )
        )
