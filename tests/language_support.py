"""Catalogues for the tests of languages: made of a few words, or of every template of the code with accents on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from catalogues import PlainCatalog
from test_messages import TEMPLATE_FILE

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
    """Return every template of the code; one with a plural as both of its forms.

    The template file has them all, as `test_messages.py` proves; to find them in the code again takes seconds.
    """
    with TEMPLATE_FILE.open("rb") as file:
        return tuple(message.id for message in read_po(file) if message.id)


def accented(template: Template) -> Template:
    """Return a template as a language without plain vowels would write it: whoever reads English sees at once where."""
    if isinstance(template, tuple):
        return tuple(str(accented(each)) for each in template)
    pieces = template.replace("{", "\0{").replace("}", "}\0").split("\0")
    return "".join(piece if piece.startswith("{") else piece.translate(_ACCENTS) for piece in pieces)


def patterns(templates: Sequence[Template], translated: Callable[[Template], Template]) -> Iterator[list[str]]:
    """Yield what stands around the values of each English template whose translation is another."""
    for template in templates:
        if translated(template) != template:
            for english in (template,) if isinstance(template, str) else template:
                pieces = re.split(r"\{[^}]*\}", english)
                if any(re.search("[A-Za-z]{3}", piece) for piece in pieces):
                    yield pieces


def is_in(line: str, pieces: Sequence[str]) -> bool:
    """Tell whether a template is in a line; one of few words, or of hardly more than values, is the whole line."""
    if ("".join(pieces).strip().count(" ") < 2 or len(max(pieces, key=len)) < 8) and (
        line[: len(pieces[0])] + line[len(line) - len(pieces[-1]) :] != pieces[0] + pieces[-1]
        or (len(pieces) == 1 and line != pieces[0])
    ):
        return False
    at = 0
    for piece in pieces:
        found = line.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece) + 1  # each value has a character at least
    return True


def english_in(texts: Iterable[str], templates: Sequence[list[str]]) -> list[tuple[str, str]]:
    """Return the texts in which an English sentence is, each line looked at; the codes of issues never change."""
    lines = {line.strip() for text in texts for line in (text, *text.split("\n"))} - {"rejected"}
    longest = [(max(pieces, key=len), pieces) for pieces in templates]  # is not in a line, mostly
    return [
        (line, "…".join(pieces))
        for line in sorted(lines)
        for piece, pieces in longest
        if piece in line and is_in(line, pieces)
    ]


def catalogued(tag: str, template: Template) -> Template:
    """Return a template as our catalogue of a language has it."""
    catalogue = messages._catalogue(tag, messages.FOLDER)
    if isinstance(template, str):
        return catalogue.gettext(template)
    return tuple(catalogue.ngettext(template[0], template[1], count) for count in (1, 2))
