"""Which statuses of a sheet look closed, in Spanish, Portuguese and English, and of which a person has to say it."""

from __future__ import annotations

import re
from itertools import product
from typing import Literal, TypeAlias

from importer.text import unaccented

Closing: TypeAlias = Literal["closed", "unclear", "open"]


def _forms(stems: str, endings: str) -> frozenset[str]:
    return frozenset(map("".join, product(stems.split(), endings.split())))


_DONE = _forms(
    "cerrad fechad encerrad resuelt resolvid solucionad finalizad terminad completad concluid cancelad anulad",
    "o a os as",
) | frozenset({"closed", "resolved", "solved", "done", "completed", "finished", "cancelled", "canceled"})
"""Words that mean a closed status, also among other words, such as `Cerrado sin solución`."""

_DONE_ALONE = _forms("atendid respondid", "o a os as")
"""Words that mean a closed status alone: `Respondido por el cliente` is open."""

_DOUBTS = frozenset({
    "abierta", "abierto", "aberta", "aberto", "aguardando", "aguarda", "aguardar", "ainda", "almost", "andamento",
    "aun", "awaiting", "be", "being", "casi", "confirm", "confirmar", "curso", "espera", "esperando", "falta", "half",
    "medias", "nao", "needs", "never", "no", "not", "nunca", "open", "para", "parcial", "parcialmente", "partial",
    "partially", "partly", "pendente", "pendiente", "pending", "por", "proceso", "processo", "progress", "quase",
    "reabierta", "reabierto", "reaberta", "reaberto", "reopen", "reopened", "review", "revisar", "revision", "sem",
    "semi", "sendo", "ser", "siendo", "sin", "temporalmente", "temporarily", "to", "until", "validar", "verificar",
    "waiting", "without",
})  # fmt: skip
"""Words before which a closed status is none, or may be none: `no resuelto`, `por ser cerrado`."""

_HARMLESS_AFTER = frozenset({"no", "nao", "not", "por", "para", "sem", "sin", "to", "without"})
"""Words that make a closed status doubtful only before it: `Cerrado por el cliente`, `Cerrado sin solución`."""

_CLOSING = re.compile(
    r"(?:un|in|re|auto)?(?:cerr|cierr|clos|fechad|fecham|fechar|encerr|resol|resuel|solu|solv|finaliz|terminad|terminar"
    r"|complet|conclu|cancel|anul|archiv|arquiv|rechaz|rejeit|reject|descart|desist|duplic)"
)
"""Beginnings of words that have to do with closing, of which a person has to say whether they mean it."""


def closing(status: str) -> Closing:
    """Return whether a status looks closed; `unclear` where it has to do with closing and may be open all the same.

    Numbers and signs around the words count for nothing: `05 - Cerrado` is closed.
    """
    words = re.sub(r"[\W\d_]", " ", unaccented(status)).split()
    if len(words) == 1 and words[0] in _DONE_ALONE:
        return "closed"
    found = next((at for at, word in enumerate(words) if word in _DONE), None)
    if found is not None:
        doubts = {*words[:found], *(word for word in words[found:] if word not in _HARMLESS_AFTER)} & _DOUBTS
        return "unclear" if doubts else "closed"
    hints = any(word in _DONE_ALONE or _CLOSING.match(word) for word in words)
    return "unclear" if hints else "open"
