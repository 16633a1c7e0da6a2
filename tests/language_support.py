"""Catalogues for the tests of languages: made of a few words, or of every template of the code with accents on it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from catalogues import PlainCatalog
from test_messages import IMPORTER, template_file

from importer import messages

Template = str | tuple[str, ...]

WORDS: dict[str, dict[str, str]] = {
    "es": {
        "Summary": "Resumen", "Report": "Informe", "Issues": "Problemas", "To decide": "Por decidir",
        "Details": "Detalles", "row": "fila", "status": "estado", "message": "mensaje", "sent_at": "enviado el",
        "run": "envío", "reference": "código WCI", "cells sent": "datos enviados", "verdict": "decisión",
        "attempt": "intento", "not created": "caso no creado", "created in this run": "caso creado en este envío",
        "created before": "caso creado antes", "invalid": "por corregir", "skipped": "omitida",
        "part": "parte de otra fila", "part of row {row}": "parte de la fila {row}", "planned": "por enviar",
        "sending": "enviando", "created": "caso creado", "changed": "modificada después",
        "rejected": "rechazada por el CRM", "unknown": "por confirmar", "conflict": "repetida en el CRM",
        "May {year}": "mayo de {year}",
    },
    "pt": {
        "Summary": "Resumo", "Report": "Relatório", "Issues": "Problemas", "To decide": "A decidir",
        "Details": "Detalhes", "row": "linha", "status": "estado", "message": "mensagem", "sent_at": "enviado em",
        "run": "envio", "reference": "código WCI", "cells sent": "dados enviados", "verdict": "decisão",
        "attempt": "tentativa", "not created": "caso não criado", "created in this run": "caso criado neste envio",
        "created before": "caso criado antes", "invalid": "a corrigir", "skipped": "omitida",
        "part": "parte de outra linha", "part of row {row}": "parte da linha {row}", "planned": "a enviar",
        "sending": "enviando", "created": "caso criado", "changed": "modificada depois",
        "rejected": "recusada pelo CRM", "unknown": "a confirmar", "conflict": "repetida no CRM",
        "May {year}": "maio de {year}",
    },
}  # fmt: skip
"""What a report calls its parts. Reports with these words are in the world, so the catalogues do not change them."""

_ACCENTS = str.maketrans("aeiouAEIOU", "áéíóúÁÉÍÓÚ")


def add_catalogue(folder: Path, language: str, translations: Mapping[Template, Template]) -> None:
    """Write the catalogue of a language into a folder for `messages.FOLDER`."""
    catalogue = PlainCatalog()
    catalogue.tag = language
    for template, translation in translations.items():
        catalogue.add(template, translation)
    path = folder / language / "LC_MESSAGES" / f"{messages.DOMAIN}.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalogue)


@lru_cache
def all_templates() -> tuple[Template, ...]:
    """Return every template of the code; one with a plural as both of its forms."""
    written = io.BytesIO(template_file(IMPORTER).encode())
    return tuple(message.id for message in read_po(written) if message.id)


def accented(template: Template) -> Template:
    """Return a template as a language without plain vowels would write it: whoever reads English sees at once where."""
    if isinstance(template, tuple):
        return tuple(str(accented(each)) for each in template)
    pieces = template.replace("{", "\0{").replace("}", "}\0").split("\0")
    return "".join(piece if piece.startswith("{") else piece.translate(_ACCENTS) for piece in pieces)
