"""The refusals of the CRM that are known: what each means, and what helps. What the CRM said stays beside it.

The journal keeps the CRM's own words; these sentences are made when they are shown. Words are those of the vendor's
pages (`SOME PARAMETERS ARE REQUIRED`), or say in English, Spanish or Portuguese that something does not exist: such
an answer is documented nowhere, so whatever is not plainly one of these is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from importer.messages import _
from importer.text import unaccented


@dataclass(frozen=True, slots=True)
class KnownRefusal:
    """The CRM's words with what they mean, and the remedy with the command that sends the row again.

    `field` is that of the case whose value the CRM does not have, empty where it is none of them.
    """

    explained: Callable[[str], str]
    remedy: Callable[[str], str]
    field: str = ""


def explained(words: str) -> str:
    """Return the CRM's words, with what they mean beside them if that is known."""
    known = known_refusal(words)
    return known.explained(words) if known else words


def names_wrong_path(words: str) -> bool:
    """Tell whether the CRM says that the address of the call is wrong, which is not about what was asked."""
    return known_refusal(words) is _ADDRESS_WRONG


def known_refusal(words: str) -> KnownRefusal | None:
    """Return what the CRM's words mean, None where that is not known, or where they may mean several things."""
    plain = " ".join(unaccented(words).split())
    if _QUOTA.search(plain):
        return _QUOTA_USED_UP
    if _AT_ONCE.search(plain):
        return _TOO_MANY_AT_ONCE
    if _TOKEN.search(plain):
        return _TOKEN_REFUSED
    if _NO_SUCH_CALL.search(plain):
        return _ADDRESS_WRONG
    if _REQUIRED.search(plain):
        return _SOLUTION_MISSING if _ONLY_SOLUTION.search(plain) else _PARAMETER_MISSING
    absent = [name for name, said in _ABSENT.items() if said.search(plain)]
    return _MISSING[absent[0]] if len(absent) == 1 else None


def says_no_such_record(words: str) -> bool:
    """Tell whether the CRM's words may mean that it has no record of the id that it was asked about."""
    return bool(_NO_RECORD.search(" ".join(unaccented(words).split())))


_QUOTA = re.compile(r"\btoken limit exceeded\b")
_AT_ONCE = re.compile(r"\blimit of simultaneous requests\b")
_TOKEN = re.compile(r"\bplease (validate token|enter the wolkvox-token)\b")
_NO_SUCH_CALL = re.compile(r"\bapi you want to consult does not exist\b")
_REQUIRED = re.compile(
    r"\bparameters? (is|are) required\b|\bparametros? (son |es |sao |e )?(requeridos?|obligatorios?|obrigatorios?)\b"
    r"|\bfaltan? parametros?\b"
)
_ONLY_SOLUTION = re.compile(r"\W(solution|solucion)\W*$")
_IS_NOT_THERE = (
    r"(do(es)?( not|n't) exist|was not found|not found|no existen?|nao existe|no (fue |se )?(encontrad[oa]|encontro))"
)
_SUBJECTS = {
    "contact": "contact|contacto|contato",
    "responsible": "responsible|responsable|responsavel",
    "owner": "owner|propietario|proprietario",
    "case-type": "case[- ]type|type case|tipo (de )?caso",
    "status": "status|estado",
    "priority": "priority|prioridad|prioridade",
    "operation": "operation|operacion|operacao",
}
_NO_RECORD = re.compile(
    rf"\b(record|case|ticket|registro|caso|wolkvox[-_ ]id|id)s?\b[^.;:]{{0,60}}\b{_IS_NOT_THERE}\b"
    r"|\b(0|no|ningun|nenhum) (records?|cases?|registros?|casos?)\b|\b(invalid|unknown) (wolkvox[-_ ])?id\b"
)
_ABSENT = {
    name: re.compile(rf"\b({subject})\b[^.;:]{{0,60}}\b{_IS_NOT_THERE}\b") for name, subject in _SUBJECTS.items()
}

_MISSING: Mapping[str, KnownRefusal] = {
    "contact": KnownRefusal(
        lambda answer: _("{answer} (the contact does not exist there)", answer=answer),
        lambda again: _(
            "Correct the row's contact; or create the contact in the CRM, and then run `{command}`", command=again
        ),
        field="contact",
    ),
    "responsible": KnownRefusal(
        lambda answer: _("{answer} (the responsible user does not exist there)", answer=answer),
        lambda again: _(
            "Write the Wolkvox Email of a user that exists as `responsible`; or create the user in the CRM, and"
            " then run `{command}`",
            command=again,
        ),
        field="responsible",
    ),
    "owner": KnownRefusal(
        lambda answer: _("{answer} (the owner does not exist there)", answer=answer),
        lambda again: _(
            "Write the Wolkvox Email of a user that exists as `owner`; or create the user in the CRM, and then"
            " run `{command}`",
            command=again,
        ),
        field="owner",
    ),
    "case-type": KnownRefusal(
        lambda answer: _("{answer} (the case type does not exist there)", answer=answer),
        lambda again: _(
            "Write the case type exactly as the CRM's page shows it, in the row or in `values` of `case-type`; or"
            " create it in the CRM, and then run `{command}`",
            command=again,
        ),
        field="case-type",
    ),
    "status": KnownRefusal(
        lambda answer: _("{answer} (this status does not exist there for the case type)", answer=answer),
        lambda again: _(
            "Write the status exactly as the CRM shows it for this case type, in the row or in `values` of"
            " `status`; or create it in the CRM, and then run `{command}`",
            command=again,
        ),
        field="status",
    ),
    "priority": KnownRefusal(
        lambda answer: _("{answer} (this priority does not exist there for the case type)", answer=answer),
        lambda again: _(
            "Write the priority exactly as the CRM shows it for this case type, in the row or in `values` of"
            " `priority`; or create it in the CRM, and then run `{command}`",
            command=again,
        ),
        field="priority",
    ),
    "operation": KnownRefusal(
        lambda answer: _("{answer} (the operation does not exist there)", answer=answer),
        lambda again: _(
            "Correct `operation` under `target` in the mapping, or the option --operation, and then run `{command}`",
            command=again,
        ),
    ),
}
_PARAMETER_MISSING = KnownRefusal(
    lambda answer: _("{answer} (a field that the CRM requires is missing)", answer=answer),
    lambda again: _(
        "Fill in the field in the row, or add it to `form` in the mapping: the CRM wants every field that its"
        " module marks as required. Then run `{command}`",
        command=again,
    ),
)
_SOLUTION_MISSING = KnownRefusal(
    lambda answer: _("{answer} (this status needs a solution)", answer=answer),
    lambda again: _(
        "Fill in the row's solution or change its status, and add the status to `closed` of `status` in the"
        " mapping, so that this is noticed before it is sent. Then run `{command}`",
        command=again,
    ),
    field="solution",
)
_TOKEN_REFUSED = KnownRefusal(
    lambda answer: _("{answer} (the CRM does not accept the token)", answer=answer),
    lambda again: _(
        "Ask whoever runs the CRM for a token of this operation, store it, and then run `{command}`", command=again
    ),
)
_QUOTA_USED_UP = KnownRefusal(
    lambda answer: _("{answer} (the token's calls for today are used up)", answer=answer),
    lambda again: _("Wait until the quota is reset, and then run `{command}`", command=again),
)
_TOO_MANY_AT_ONCE = KnownRefusal(
    lambda answer: _("{answer} (too many calls use the token at the same time)", answer=answer),
    lambda again: _("Wait until other programs no longer use the token, and then run `{command}`", command=again),
)
_ADDRESS_WRONG = KnownRefusal(
    lambda answer: _("{answer} (there is no such call at this address)", answer=answer),
    lambda again: _(
        "Correct `server` under `target` in the mapping, or the option --server: it is the host that the browser"
        " shows after you log in to the CRM. Then run `{command}`",
        command=again,
    ),
)
