"""The example in each language: what an office's weekly sheet looks like, with faults to find. It is data, no sentence.

A row has the number of days that it lies back where its date goes. The names of files are those in the last column.
"""

from __future__ import annotations

from dataclasses import dataclass

Row = tuple[str, int, str, str, str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class ExampleWords:
    """The example in one language.

    `headings` are: number, date, type, e-mail, subject, details, status, priority, answer, attachments. The others map
    the sheet's words to the CRM's. `files` are the attachments that exist, each with its text.
    """

    folder: str
    sheet: str
    tab: str
    name: str
    attachments: str
    comment: str
    date_format: str
    headings: tuple[str, ...]
    types: dict[str, str]
    statuses: dict[str, str]
    priorities: dict[str, str]
    rows: tuple[Row, ...]
    files: dict[str, str]


SPANISH = ExampleWords(
    folder="Ejemplo",
    sheet="PQR de ejemplo.xlsx",
    tab="PQR",
    name="ejemplo",
    attachments="adjuntos",
    comment="La configuración del ejemplo. Es para ensayar: sus personas y direcciones no existen.",
    date_format="dd/mm/yyyy",
    headings=("Radicado", "Fecha", "Tipo", "Correo", "Asunto", "Detalle", "Estado", "Prioridad", "Respuesta",
              "Adjuntos"),
    types={"Petición": "Request", "Queja": "Complaints", "Reclamo": "Claims", "Sugerencia": "Suggestions"},
    statuses={"Abierto": "Abierto", "Cerrado": "Cerrado"},
    priorities={"Alta": "Alta", "Media": "Media", "Baja": "Baja"},
    rows=(
        ("E-001", 9, "Petición", "ana.ruiz@example.com", "Certificado de paz y salvo",
         "Necesita el certificado para un trámite bancario.", "Cerrado", "Media", "Certificado enviado.",
         "solicitud.txt"),
        ("E-002", 9, "Queja", "luis.mora@example.com", "Internet intermitente",
         "El servicio se cae todas las noches entre las 7 y las 9.", "En curso", "Alta", "", ""),
        ("E-003", 8, "Reclamo", "marta.gil@example.com", "Cobro repetido",
         "La factura de octubre se cobró dos veces.", "Abierto", "Alta", "", "factura.txt; extracto.txt"),
        ("E-004", 8, "Petición", "jorge.pena@example.com", "Cambio de dirección",
         "Se mudó y quiere recibir la factura en la nueva dirección.", "Abierto", "Baja", "", ""),
        ("E-005", 7, "Sugerencia", "sofia.leon@example.com", "Horario de atención",
         "Propone atender los sábados por la mañana.", "Abierto", "Baja", "", ""),
        ("E-006", 7, "Queja", "", "Demora en la sede", "Esperó más de una hora para ser atendido.", "Abierto", "Media",
         "", ""),
        ("E-007", 6, "Petición", "camila.rios@example.com", "Copia del contrato",
         "Pide una copia del contrato firmado en 2024.", "En curso", "Media", "", ""),
        ("E-008", 6, "Reclamo", "pedro.cano@example.com", "Equipo averiado",
         "El equipo nuevo no enciende; adjunta una foto.", "Abierto", "Alta", "", "foto.txt"),
        ("E-009", 5, "Petición", "elena.diaz@example.com", "Aumento de velocidad",
         "Quiere pasar al plan de 300 megas.", "Cerrado", "Media", "Plan cambiado desde el lunes.", ""),
        ("E-010", 5, "Queja", "raul.vega@example.com", "Llamadas fuera de horario",
         "Recibe llamadas de cobro después de las 8 de la noche.", "Abierto", "Media", "", ""),
    ),
    files={"solicitud.txt": "Solicito el certificado de paz y salvo.", "factura.txt": "Factura de octubre: 84.900",
           "extracto.txt": "Dos cobros de 84.900 el mismo día."},
)  # fmt: skip

PORTUGUESE = ExampleWords(
    folder="Exemplo",
    sheet="Atendimentos de exemplo.xlsx",
    tab="Atendimentos",
    name="exemplo",
    attachments="anexos",
    comment="A configuração do exemplo. É para ensaiar: suas pessoas e endereços não existem.",
    date_format="dd/mm/yyyy",
    headings=("Protocolo", "Data", "Tipo", "E-mail", "Assunto", "Detalhe", "Status", "Prioridade", "Resposta",
              "Anexos"),
    types={"Pedido": "Request", "Queixa": "Complaints", "Reclamação": "Claims", "Sugestão": "Suggestions"},
    statuses={"Aberto": "Abierto", "Fechado": "Cerrado"},
    priorities={"Alta": "Alta", "Média": "Media", "Baixa": "Baja"},
    rows=(
        ("E-001", 9, "Pedido", "ana.souza@example.com", "Certidão de quitação",
         "Precisa da certidão para o banco.", "Fechado", "Média", "Certidão enviada.", "pedido.txt"),
        ("E-002", 9, "Queixa", "luis.moura@example.com", "Internet instável",
         "O serviço cai todas as noites entre 19h e 21h.", "Em andamento", "Alta", "", ""),
        ("E-003", 8, "Reclamação", "marta.gil@example.com", "Cobrança repetida",
         "A fatura de outubro foi cobrada duas vezes.", "Aberto", "Alta", "", "fatura.txt; extrato.txt"),
        ("E-004", 8, "Pedido", "jorge.pena@example.com", "Mudança de endereço",
         "Mudou-se e quer receber a fatura no novo endereço.", "Aberto", "Baixa", "", ""),
        ("E-005", 7, "Sugestão", "sofia.leao@example.com", "Horário de atendimento",
         "Sugere atender aos sábados pela manhã.", "Aberto", "Baixa", "", ""),
        ("E-006", 7, "Queixa", "", "Demora na agência", "Esperou mais de uma hora.", "Aberto", "Média", "", ""),
        ("E-007", 6, "Pedido", "camila.rios@example.com", "Cópia do contrato",
         "Pede uma cópia do contrato assinado em 2024.", "Em andamento", "Média", "", ""),
        ("E-008", 6, "Reclamação", "pedro.cano@example.com", "Aparelho com defeito",
         "O aparelho novo não liga; envia uma foto.", "Aberto", "Alta", "", "foto.txt"),
        ("E-009", 5, "Pedido", "elena.dias@example.com", "Aumento de velocidade",
         "Quer passar para o plano de 300 mega.", "Fechado", "Média", "Plano trocado desde segunda-feira.", ""),
        ("E-010", 5, "Queixa", "raul.veiga@example.com", "Ligações fora do horário",
         "Recebe ligações de cobrança depois das 20h.", "Aberto", "Média", "", ""),
    ),
    files={"pedido.txt": "Solicito a certidão de quitação.", "fatura.txt": "Fatura de outubro: 84,90",
           "extrato.txt": "Duas cobranças de 84,90 no mesmo dia."},
)  # fmt: skip

ENGLISH = ExampleWords(
    folder="Example",
    sheet="Example requests.xlsx",
    tab="Requests",
    name="example",
    attachments="attachments",
    comment="The mapping of the example. It is for rehearsing: its people and addresses do not exist.",
    date_format="yyyy-mm-dd",
    headings=("Number", "Date", "Type", "E-mail", "Subject", "Details", "Status", "Priority", "Answer",
              "Attachments"),
    types={"Request": "Request", "Complaint": "Complaints", "Claim": "Claims", "Suggestion": "Suggestions"},
    statuses={"Open": "Abierto", "Closed": "Cerrado"},
    priorities={"High": "Alta", "Medium": "Media", "Low": "Baja"},
    rows=(
        ("E-001", 9, "Request", "ann.reed@example.com", "Certificate of payment",
         "Needs the certificate for a bank.", "Closed", "Medium", "Certificate sent.", "request.txt"),
        ("E-002", 9, "Complaint", "lewis.moor@example.com", "Unstable internet",
         "The service fails every evening between 7 and 9.", "In progress", "High", "", ""),
        ("E-003", 8, "Claim", "martha.gill@example.com", "Charged twice",
         "The invoice of October was charged twice.", "Open", "High", "", "invoice.txt; statement.txt"),
        ("E-004", 8, "Request", "george.penn@example.com", "Change of address",
         "Has moved, and wants the invoice at the new address.", "Open", "Low", "", ""),
        ("E-005", 7, "Suggestion", "sophie.lyon@example.com", "Opening hours",
         "Suggests opening on Saturday mornings.", "Open", "Low", "", ""),
        ("E-006", 7, "Complaint", "", "Delay at the office", "Waited for more than an hour.", "Open", "Medium", "", ""),
        ("E-007", 6, "Request", "camille.rivers@example.com", "Copy of the contract",
         "Asks for a copy of the contract signed in 2024.", "In progress", "Medium", "", ""),
        ("E-008", 6, "Claim", "peter.cane@example.com", "Broken device",
         "The new device does not start; sends a photo.", "Open", "High", "", "photo.txt"),
        ("E-009", 5, "Request", "ellen.day@example.com", "More speed",
         "Wants the plan with 300 megabits.", "Closed", "Medium", "Changed as of Monday.", ""),
        ("E-010", 5, "Complaint", "ralph.wade@example.com", "Calls at night",
         "Is called about payments after 8 in the evening.", "Open", "Medium", "", ""),
    ),
    files={"request.txt": "I request the certificate of payment.", "invoice.txt": "Invoice of October: 84.90",
           "statement.txt": "Two charges of 84.90 on the same day."},
)  # fmt: skip

EXAMPLES = {"es": SPANISH, "pt": PORTUGUESE, "en": ENGLISH}
"""The example by language."""
