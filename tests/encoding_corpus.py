"""Short texts in Spanish, Portuguese and English as offices write them, to measure how often an encoding is guessed.

The texts are the same on every computer.
"""

# ruff: noqa: RUF001 - signs that look like others are what this is about

from __future__ import annotations

import random
from collections.abc import Iterator

from babel import Locale

CODECS = ("utf-8", "cp1252", "mac_roman", "cp850")
_PHRASES = " ".join(
    """
    El cliente llamó para pedir información; el técnico aún no llegó | ¿Cuándo estará listo el envío? |
    ¡Urgente! revisar | Señora Peña pidió otra factura | Avería en la línea telefónica | No hay señal en Ibagué |
    Solicitó devolución de $20.000 | Añadió documentos según el artículo 15 | Dañó el módem al caer |
    Temperatura a 20° en la bodega | Calle 5 nº 20-31 | Reclamó por la facturación de abril |
    La contraseña expiró | Atención telefónica deficiente | Visitó la oficina de Bogotá |
    El señor Muñoz pagó ayer | Quejas sobre el olor del café | Cuesta 15 € más | 1ª visita hecha, falta la 2ª |
    Se cambió el jardín de niños | Averiguar por qué falló la conexión | Quiere hablar con Andrés Núñez |
    Fútbol y béisbol | Así no sirve | Día de entrega: mañana | Todavía espera la respuesta del médico |
    Pingüinos en el baño | Salió bien | El cliente dice “no sirve” – revisar | Valor $20.000 – pendiente… |
    Espere… ya casi queda | “Urgente” | Pedido – Cali | Nota del cliente: “llamar después” |
    Precio por confirmar… | Reunión a las 3 – sala B | Dirección errada | Tildes: sólo una |
    Cliente não recebeu o cartão | Atenção: prazo até amanhã | Solução enviada por João |
    Endereço errado no boleto | A conexão caiu três vezes | É preciso trocar o cabo |
    Serviço não disponível na região | Você já pagou à vista? | Reclamação sobre a fatura de março |
    Técnico irá às 15h | Usuária sem acesso ao histórico | Pão de queijo e maçã | Condições do cartório |
    Mãe do aluno ligou | Dúvida: juros ou câmbio? | Órgão público sem previsão | Preço 2 × 30 |
    Aguardando… retorno | Ela disse “obrigada” – encerrar | Bênção do avô | Férias em Florianópolis |
    Opções: sim – sem… |
    The client’s order – not shipped yet | He said “call me back” | Don’t reply… wait for the manager |
    Price: £20 | Customers’ complaints about the café | It’s “The Shield” — ready | Refund of €15 – approved |
    Résumé attached | We can’t log in | I’ve sent the form | Invoice 12 – 14 missing | Room at 21° |
    Brand™ support – closed | She’ll call… | “Broken” on arrival | Delivery between May–June |
    Naïve user asked again | They’re waiting — please call
    """.split()  # noqa: SIM905 - a list would be a column of words
).split(" | ")
_NEUTRAL = ("Ticket", "Ana", "OK", "pendiente", "Closed", "2024-03-01", "ana@x.co", "Cali", "ver adjunto", "15", "0045")
# What a program writes where its encoding lacks the sign.
_PLAIN = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "€": "EUR", "™": "(TM)"}
    | {"×": "x", "°": "°"}
)


def texts(count: int = 500) -> Iterator[str]:
    """Yield short tables of one to six rows; every text has a letter or sign beyond ASCII."""
    chance = random.Random(13)  # noqa: S311 - a corpus, not a secret
    while count:
        rows = [chance.choice(_PHRASES) for _row in range(chance.choice((1, 1, 2, 3, 6)))]
        if chance.random() < 0.3:
            rows = [row.upper() for row in rows]
        text = "\r\n".join(f"{chance.choice(_NEUTRAL)};{row};{chance.choice(_NEUTRAL)}" for row in rows)
        if not text.isascii():
            count -= 1
            yield f"Ticket;Nota;Estado\r\n{text}\r\n"


def written_in(text: str, codec: str) -> str:
    """Return the text as a program that writes this encoding has it."""
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(codec, "ignore").decode(codec)
    return text


def names() -> list[str]:
    """Return names of countries and languages in Spanish and Portuguese that have letters beyond ASCII."""
    locales = [Locale(language) for language in ("es", "pt")]
    found = {str(name) for locale in locales for name in (*locale.territories.values(), *locale.languages.values())}
    return sorted(name for name in found if not name.isascii())
