"""Which column of a sheet is which field of a case: by the header's words, and by what the cells look like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from importer.mapping.drafting.profiles import Profile
from importer.messages import _
from importer.text import unaccented

HEADERS: dict[str, tuple[str, ...]] = {
    "key": (
        "ticket id", "id ticket", "ticket", "ticket number", "numero de ticket", "no ticket", "nro ticket",
        "ticket no", "issue key", "case number", "case id", "numero de caso", "id caso", "radicado",
        "numero de radicado", "folio", "caso", "expediente", "consecutivo", "protocolo", "chamado",
        "numero do chamado", "incidencia", "number", "numero", "nro", "id", "codigo",
    ),
    "case-type": (
        "case type", "ticket type", "tipo de caso", "tipo de ticket", "tipo de solicitud", "tipo de pqr",
        "tipo de pqrs", "tipo de peticion", "tipo de requerimiento", "tipo de chamado", "tipo de incidencia",
        "issue type", "type", "tipo", "clase",
    ),
    "responsible": (
        "responsible", "responsable", "responsavel", "encargado",
    ),
    "owner": (
        "owner", "case owner", "propietario", "proprietario", "assignee", "agent", "agent assigned", "assigned agent",
        "assigned to", "assigned to technician", "technician", "agente", "agente asignado", "asesor", "asignado a",
        "asignado a tecnico", "asignado", "tecnico", "tecnico asignado", "atribuido a", "atribuido a tecnico",
        "atendente",
    ),
    "contact": (
        "contact email", "customer email", "requester email", "client email", "caller email", "caller id email",
        "from email", "user email", "reporter email", "email del cliente", "correo cliente", "correo del cliente",
        "email cliente", "email do cliente", "correo del solicitante", "email del solicitante", "correo contacto",
        "correo electronico", "correo", "email", "e mail", "mail", "email address",
    ),
    "person": (
        "requester", "requester requester", "caller", "caller id", "reporter", "from", "solicitante",
        "solicitante solicitante", "requerente", "requerente requerente", "customer name", "full name", "cliente",
        "nombre cliente", "nombre del cliente", "customer", "contacto", "contact",
    ),
    "subject": (
        "subject", "ticket subject", "asunto", "assunto", "short description", "summary", "resumen", "resumo",
        "titulo", "title",
    ),
    "description": (
        "description", "ticket description", "descripcion", "descricao", "descripcion del caso",
        "descripcion del problema", "detalle", "detalles", "details", "mensaje", "mensagem", "message", "body",
        "issue details", "contenido", "solicitud",
    ),
    "status": (
        "status", "ticket status", "case status", "current status", "estado", "estado actual", "estado del ticket",
        "estado del caso", "estatus", "state", "incident state", "situacao", "situacion",
    ),
    "priority": (
        "priority", "ticket priority", "prioridad", "prioridade", "urgencia", "urgency", "severidad", "severity",
    ),
    "solution": (
        "solution", "solution solution", "solucion", "solucion solucion", "solucao", "resolution notes",
        "close notes", "resolution", "resolucion", "resolucao", "respuesta", "respuesta final", "resposta", "answer",
    ),
    "attachments": (
        "attachment", "attachments", "adjunto", "adjuntos", "archivo", "archivos", "archivo adjunto",
        "archivos adjuntos", "anexo", "anexos", "file", "files", "documento adjunto",
    ),
}  # fmt: skip
"""The headers of each field in Spanish, Portuguese and English, and in the exports of ticket systems.

`person` is a requester's name instead of an address, `subject` the line above a description.
"""

CASE_TYPES: dict[str, str] = {
    **dict.fromkeys(
        ("request", "peticion", "solicitud", "requerimiento", "consulta", "pregunta", "question", "service request",
         "derecho de peticion", "solicitacao", "requisicao", "p"),
        "Request",
    ),
    **dict.fromkeys(("complaint", "complaints", "queja", "reclamacao de atendimento", "q"), "Complaints"),
    **dict.fromkeys(("claim", "claims", "reclamo", "reclamacion", "reclamacao", "r"), "Claims"),
    **dict.fromkeys(("suggestion", "suggestions", "sugerencia", "sugestao", "felicitacion", "s"), "Suggestions"),
}  # fmt: skip
"""The four case types of every module (the vendor's page), by their names in sheets."""

CLOSED = frozenset({
    "closed", "cerrado", "cerrada", "fechado", "fechada", "resolved", "resuelto", "resuelta", "resolvido", "solved",
    "solucionado", "solucionada", "done", "finalizado", "finalizada", "terminado", "completado", "completed",
    "concluido", "cancelled", "canceled", "cancelado", "cancelada", "atendido", "closed complete",
    "closed incomplete",
})  # fmt: skip
"""Statuses that probably require a solution."""


_ALIKE = 0.88  # of the letters: a typing error or a plural, but not another word


@dataclass(frozen=True, slots=True)
class Match:
    """A column that is probably a field, and the evidence."""

    column: str
    evidence: str


def match_headers(found: Mapping[str, Profile]) -> dict[str, Match]:
    """Return the column of each field, by the headers and by what the cells look like."""
    matches: dict[str, Match] = {}
    for field, synonyms in HEADERS.items():
        free = {
            column: profile for column, profile in found.items() if column not in {m.column for m in matches.values()}
        }
        if match := _match(field, synonyms, free):
            matches[field] = match
    if "contact" not in matches and (addresses := [column for column, profile in found.items() if profile.emails]):
        matches["contact"] = Match(addresses[0], _("its cells are e-mail addresses"))
    if "description" not in matches and "subject" in matches:
        matches["description"] = matches.pop("subject")
    return matches


def is_called(field: str, column: str) -> bool:
    """Return whether a header is one of a field's words, with or without a number after it: `Adjunto 2`."""
    return re.sub(r" \d+$", "", _words(column)) in HEADERS[field]


def _match(field: str, synonyms: Sequence[str], free: Mapping[str, Profile]) -> Match | None:
    by_words: dict[str, list[str]] = {}
    for column, profile in free.items():
        if _could_be(field, profile):
            by_words.setdefault(_words(column), []).append(column)
    for synonym in synonyms:
        if columns := by_words.get(synonym):
            return Match(columns[0], _("by its header"))
    for synonym in synonyms:
        for words, columns in by_words.items():
            if _alike(words, synonym):
                return Match(columns[0], _("the header is similar to '{synonym}'", synonym=synonym))
    return None


def _alike(one: str, two: str) -> bool:
    """Return whether two headers differ only by a typing error."""
    return min(len(one), len(two)) >= 6 and SequenceMatcher(None, one, two).ratio() >= _ALIKE


def _words(header: str) -> str:
    """Return a header without case and accents, with spaces for punctuation."""
    return " ".join(re.sub(r"[^\w]|_", " ", unaccented(header)).split())


def _could_be(field: str, profile: Profile) -> bool:
    """Return whether a column's cells could be a field's; in an empty column, only the header counts."""
    if not profile.counts:
        return field != "attachments"
    if field == "contact":
        return profile.emails
    if field in {"status", "priority", "case-type"}:
        return profile.few
    if field == "key":
        return profile.filled >= profile.rows * 0.9
    if field == "attachments":
        return profile.files
    return True
