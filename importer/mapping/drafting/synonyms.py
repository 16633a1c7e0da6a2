"""What headers call the fields of a case, in Spanish, Portuguese and English, and in the exports of ticket systems.

Headers are compared folded, with punctuation as spaces. The first word of a list that a sheet has wins.
"""

from __future__ import annotations

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
"""By field, and `person` for who asked where that is a name, `subject` for what stands above the description."""

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
"""The four case types that every module has, by what sheets call them (the vendor's page names the types)."""

CLOSED = frozenset({
    "closed", "cerrado", "cerrada", "fechado", "fechada", "resolved", "resuelto", "resuelta", "resolvido", "solved",
    "solucionado", "solucionada", "done", "finalizado", "finalizada", "terminado", "completado", "completed",
    "concluido", "cancelled", "canceled", "cancelado", "cancelada", "atendido", "closed complete",
    "closed incomplete",
})  # fmt: skip
"""Statuses that look as if they demanded a solution."""
