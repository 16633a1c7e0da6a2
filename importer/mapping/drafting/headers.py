"""The words of headers in Spanish, Portuguese and English, and in the exports of ticket systems."""

from __future__ import annotations

import re

from importer.text import unaccented


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NUMBER = {"n": "numero", "no": "numero", "nro": "numero", "num": "numero", "nr": "numero"}
_FILLERS = _set("a al ao aos as da das de del do dos e el em en la las los o of os para por the to y")


def words_of(header: str) -> str:
    """Return a header's words without case, accents, punctuation and fillers: `Nº do chamado` is `numero chamado`."""
    words = re.sub(r"[\W_]", " ", re.sub("[°º]", " ", unaccented(header))).split()
    if len(words) == 1:
        return words[0]
    if "#" in header:
        words.insert(0, "numero")
    kept = [_NUMBER.get(word, word) for word in words if word not in _FILLERS]
    return " ".join(kept or words)


FIELDS: dict[str, tuple[str, ...]] = {
    "key": (
        "ticket id", "id ticket", "id del ticket", "ticket", "ticket number", "numero de ticket", "no ticket",
        "ticket no", "# ticket", "numero de caso", "case number", "case id", "id caso", "issue key",
        "clave de incidencia", "clave", "chave da item", "chave", "chamado id", "id do chamado", "numero do chamado",
        "chamado", "radicado", "numero de radicado", "radicado no", "no radicacion", "radicacion", "folio",
        "numero de pqr", "pqr", "id pqr", "pqrs", "caso", "codigo caso", "expediente", "consecutivo", "protocolo",
        "numero do protocolo", "numero de solicitud", "id solicitud", "numero de solicitacao", "numero de incidencia",
        "incidencia", "incidente", "incident number", "numero de incidente", "numero de reclamo", "number", "numero",
        "no", "nro", "n", "id", "codigo",
    ),
    "case-type": (
        "case type", "ticket type", "tipo de caso", "tipo de ticket", "tipo de solicitud", "tipo pqr", "tipo pqrs",
        "tipo pqrsf", "tipo pqrsd", "tipo de peticion", "tipo de requerimiento", "tipo de reclamo",
        "tipo de solicitacao", "tipo de chamado", "tipo de incidencia", "tipo de incidente", "tipo de item",
        "tipo de manifestacao", "issue type", "request type", "type", "tipo", "clase",
        "clase pqr", "clase pqrs", "clase de pqr", "clase de pqrs", "clase de solicitud", "clase de caso",
    ),
    "responsible": (
        "responsible", "responsable", "responsable del caso", "responsavel", "responsavel pelo chamado", "encargado",
        "encarregado",
    ),
    "owner": (
        "owner", "case owner", "propietario", "proprietario", "assignee", "assignee name", "agent", "agent assigned",
        "assigned agent", "agent name", "assigned to", "assigned to technician", "technician", "agente",
        "agente asignado", "nombre del agente", "asesor", "asignado a", "asignado a tecnico", "asignado",
        "persona asignada", "tecnico", "tecnico asignado", "tecnico responsavel", "atribuido a", "atribuido para",
        "atribuido", "atribuido a tecnico", "atendente", "analista", "gestor", "funcionario",
    ),
    "contact": (
        "contact email", "customer email", "requester email", "client email", "caller email", "caller id email",
        "from email", "user email", "reporter email", "email del cliente", "correo cliente", "correo del usuario",
        "correo electronico del cliente", "email cliente", "email do usuario", "email do solicitante",
        "correo del solicitante", "email del solicitante", "correo contacto", "correo peticionario",
        "correo electronico", "correo", "email", "e mail", "mail", "email address",
    ),
    "person": (
        "requester", "requester requester", "requester name", "caller", "caller id", "reporter", "informador",
        "relator", "from", "solicitante", "solicitante solicitante", "nombre del solicitante", "requerente",
        "requerente requerente", "chamador", "customer name", "full name", "nombre completo", "nome completo",
        "usuario impactado", "usuario afectado", "usuario final", "peticionario", "nombre peticionario", "cliente",
        "nombre cliente", "nome do cliente", "customer", "usuario", "nombre usuario", "nome do usuario", "contacto",
        "contato", "contact", "nombre", "nombres", "nome",
    ),
    "subject": (
        "subject", "ticket subject", "asunto", "assunto", "short description", "descripcion breve",
        "descricao resumida", "descripcion corta", "breve descripcion", "summary", "resumen", "resumo", "titulo",
        "title", "tema",
    ),
    "description": (
        "description", "ticket description", "descripcion", "descricao", "descripcion del caso",
        "descripcion del problema", "descricao do problema", "descripcion de los hechos", "descripcion de la solicitud",
        "descripcion solicitud", "descricao do chamado", "descripcion del requerimiento", "descripcion de la peticion",
        "descripcion detallada", "descricao detalhada", "hechos", "relato de los hechos", "relato", "detalle",
        "detalles", "detalle de la solicitud", "detalhe", "detalhes", "details", "mensaje", "mensagem", "message",
        "body", "cuerpo", "corpo", "issue details", "contenido", "conteudo", "texto", "motivo", "solicitud",
        "solicitacao", "problema",
    ),
    "status": (
        "status", "ticket status", "case status", "current status", "estado", "estado actual", "estado del ticket",
        "estado del caso", "estado pqr", "estado de la solicitud", "estatus", "state", "incident state", "situacao",
        "situacao do chamado", "situacion", "status do chamado",
    ),
    "priority": (
        "priority", "ticket priority", "prioridad", "prioridade", "urgencia", "urgency", "severidad", "severity",
        "criticidad", "criticidade", "nivel", "nivel de prioridad", "nivel de urgencia", "nivel de prioridade",
    ),
    "solution": (
        "solution", "solution solution", "solucion", "solucion solucion", "solucao", "solucao solucao",
        "solucao aplicada", "solucion aplicada", "resolution notes", "close notes", "notas de cierre",
        "notas de encerramento", "notas de resolucion", "resolution", "resolucion", "resolucao", "respuesta",
        "respuesta final", "respuesta al usuario", "respuesta al cliente", "respuesta al peticionario",
        "respuesta dada", "resposta", "resposta ao cliente", "resposta ao usuario", "answer",
    ),
    "attachments": (
        "attachment", "attachments", "adjunto", "adjuntos", "archivo", "archivos", "archivo adjunto",
        "archivos adjuntos", "arquivo", "arquivos", "anexo", "anexos", "soporte", "soportes", "evidencia",
        "evidencias", "file", "files", "documento adjunto", "documentos adjuntos",
    ),
}  # fmt: skip
"""The headers of each field, the likeliest first.

`person` is a requester's name instead of an address, `subject` the line above a description.
"""

BEGINNINGS: dict[str, tuple[str, ...]] = {
    "case-type": ("tipo caso", "tipo pqr", "tipo pqrs", "tipo pqrsd", "tipo pqrsf", "tipo solicitud", "tipo peticion",
                  "tipo requerimiento", "clase pqr", "clase pqrs", "clase solicitud"),
    "responsible": ("responsable", "responsavel", "encargado"),
    "owner": ("asignado", "atribuido", "agente", "funcionario", "asesor", "gestor", "atendido por", "assigned"),
    "contact": ("correo", "email", "e mail", "mail"),
    "description": ("descripcion", "descricao", "description", "detalle", "hechos", "relato", "texto"),
    "status": ("estado", "status", "situacion", "situacao"),
    "priority": ("prioridad", "prioridade", "priority", "urgencia", "nivel prioridad", "nivel urgencia"),
    "solution": ("solucion", "solucao", "solution", "respuesta", "resposta", "resolucion", "resolucao"),
}  # fmt: skip
"""Words with which longer headers of a field begin: probably, which a person has to look at."""

OF_OTHERS = _set("fecha data date dia hora hour plazo dias civil responsable agente funcionario asesor")
"""Words after such a beginning that make a header one of something else."""

CASE_TYPES: dict[str, str] = {
    **dict.fromkeys(
        ("request", "peticion", "peticiones", "solicitud", "requerimiento", "consulta", "pregunta", "question",
         "service request", "derecho de peticion", "solicitacao", "requisicao", "p"),
        "Request",
    ),
    **dict.fromkeys(("complaint", "complaints", "queja", "quejas", "reclamacao de atendimento", "q"), "Complaints"),
    **dict.fromkeys(("claim", "claims", "reclamo", "reclamos", "reclamacion", "reclamacao", "r"), "Claims"),
    **dict.fromkeys(
        ("suggestion", "suggestions", "sugerencia", "sugerencias", "sugestao", "felicitacion", "s"), "Suggestions"
    ),
}  # fmt: skip
"""The four case types of every module (the vendor's page), by their names in sheets."""

SURE_TYPES = _set(
    "request peticion peticiones solicitacao queja quejas complaint complaints reclamo reclamos reclamacion reclamacao"
    " claim claims sugerencia sugerencias sugestao suggestion suggestions"
)
"""Names that mean their case type and nothing else; of the others, a person has to say it."""

PHONES = _set(
    "telefono telefonos telefone telefones tel phone telephone celular celulares cel movil mobile whatsapp fone"
    " fax fijo contacto contato"
)
"""Words of the headers of telephone numbers."""

AMOUNTS = _set(
    "valor monto importe precio preco costo custo total saldo subtotal cantidad quantidade qty quantity amount"
    " price cost iva porcentaje percent rating score edad idade age dias days horas hours minutos minutes count"
    " tiempo time duracion duracao votes replies reopens reaperturas reaberturas peso weight value cuantia deuda"
)
"""Words of the headers of numbers that are counted or measured."""

NAMES = _set(
    "cedula cc doc documento identificacion identidad id nit dni cpf cnpj rut ruc rfc curp nie cif pasaporte passport"
    " cuenta conta account contrato contract codigo code cod radicado radicacion folio factura invoice fatura"
    " poliza placa serial serie imei guia tracking expediente protocolo referencia reference ref ticket caso"
    " chamado consecutivo numero matricula cep zip postal orden order pedido ip registro afiliado nuip ss eps"
)
"""Words of the headers of numbers that are names: identity numbers, codes, accounts."""

BIRTHS = _set("nacimiento nascimento birth birthday birthdate")
"""Words of the headers of dates of birth."""
