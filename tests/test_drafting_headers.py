"""Which columns of a sheet nobody has seen before are recognised as a case's fields, and how surely."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest

from importer.mapping import draft, survey_columns

ANSWERS = ("Se respondió por oficio.", "", "Se devolvió el dinero.", "")
DAYS = ("16/11/2026", "17/11/2026", "18/11/2026", "")
STATES = ("Abierto", "Cerrado", "Abierto", "Abierto")
NAMES = ("Ana Díaz", "Leo Ruiz", "Ana Díaz", "Ana Díaz")


def guess_of(heading: str, cells: Sequence[str]) -> tuple[str, bool] | None:
    """Return the field that a column seems to be, and whether that is sure; None for no field of the case."""
    frame = pd.DataFrame({"Radicado": ["1", "2", "3", "4"], heading: list(cells)}, index=[2, 3, 4, 5])
    guesses = survey_columns(list(frame.columns), [frame]).guesses
    return next(((one.field, one.is_sure) for one in guesses if one.column == heading), None)


@pytest.mark.parametrize(("heading", "cells", "guess"), [
    ("Respuesta", ANSWERS, ("solution", True)),
    ("Solución / respuesta", ANSWERS, ("solution", False)),
    ("RESPUESTA (al ciudadano)", ANSWERS, ("solution", False)),
    ("Respuesta-Solución", ANSWERS, ("solution", False)),
    ("Solución dada al usuario", ANSWERS, ("solution", False)),
    ("Trámite y respuesta", ANSWERS, ("solution", False)),
    ("Solución / respuesta", ("", "", "", ""), ("solution", False)),
    ("Solución / fecha", DAYS, None),
    ("Respuesta (fecha)", ("", "", "", ""), None),
    ("Fecha de respuesta", DAYS, None),
    ("Estado / trámite", STATES, ("status", False)),
    ("Estado del trámite", STATES, ("status", False)),
    ("Estado civil", STATES, None),
    ("Prioridad asignada", ("Alta", "Baja", "Alta", "Alta"), ("priority", False)),
    ("Funcionario que atiende", NAMES, ("responsible", False)),
    ("Observaciones", ANSWERS, None),
])  # fmt: skip
def test_a_heading_of_several_words_is_a_guess(
    heading: str, cells: Sequence[str], guess: tuple[str, bool] | None
) -> None:
    """A part of a header, or its beginning, is enough for a guess, which is marked as one; dates are no answers."""
    assert guess_of(heading, cells) == guess


def test_the_draft_for_a_page_waits_for_nobody_with_an_editor() -> None:
    """Where the command's draft has a list to name or a folder to find, the page's has neither, nor an unseen value."""
    frame = pd.DataFrame({
        "Radicado": ["1", "2", "3"], "Agente": ["Ana", "Leo", "Ana"], "Solicitante": ["Eva P", "Luz R", "Sol M"],
        "Anexos": ["a.pdf", "b.pdf", "c.pdf"], "Tipo": ["Queja", "Felicitación", "Queja"],
    })  # fmt: skip
    by_hand = draft(list(frame.columns), [frame], "PQR")
    for_page = draft(list(frame.columns), [frame], "PQR", by_hand=False)
    assert ("lookup" in by_hand, "lookup" in for_page) == (True, False)
    assert ("folder: ." in by_hand, "folder: ." in for_page) == (False, True)
    assert for_page.count("column: Agente}") == 2
    assert ("Queja: Complaints" in by_hand, "Queja: Complaints" in for_page) == (True, False)


SHORT = ("Cobro doble", "Daño de equipo", "Demora en visita", "Mal trato")
LONG = tuple(f"El usuario dice que {text.lower()} desde hace {at} meses y pide que se le responda por escrito."
             for at, text in enumerate(SHORT, 2))  # fmt: skip


@pytest.mark.parametrize(("columns", "description", "is_sure"), [
    ({"Motivo": SHORT, "Detalle del reclamo": LONG}, "{Motivo}\\n\\n{Detalle del reclamo}", False),
    ({"Detalle del reclamo": LONG, "Motivo": SHORT}, "{Motivo}\\n\\n{Detalle del reclamo}", False),
    ({"Descripción": SHORT, "Detalles": LONG}, "{Descripción}\\n\\n{Detalles}", False),
    ({"Asunto": SHORT, "Motivo": SHORT, "Relato del ciudadano": LONG}, "{Asunto}\\n\\n{Relato del ciudadano}", False),
    ({"Motivo": SHORT, "Lo que dijo": LONG}, "{column: Motivo}", False),
    ({"Motivo": SHORT, "Descripción de la solución": LONG}, "{column: Motivo}", True),
    ({"Motivo": SHORT, "Respuesta": LONG}, "{column: Motivo}", True),
    ({"Descripción": LONG, "Detalle del producto": LONG}, "{column: Descripción}", True),
    ({"Descripción": LONG, "Observaciones": LONG}, "{column: Descripción}", True),
])  # fmt: skip
def test_the_description_has_the_longest_texts(
    columns: dict[str, Sequence[str]], description: str, *, is_sure: bool
) -> None:
    """A complaint itself is the description, below the short reason; where only its cells say so, one has to look."""
    frame = pd.DataFrame({"Radicado": ["1", "2", "3", "4"], **columns}, index=[2, 3, 4, 5])
    text = draft(list(frame.columns), [frame], "PQR", by_hand=False)
    assert description in next(line for line in text.splitlines() if line.startswith("  description:"))
    guesses = survey_columns(list(frame.columns), [frame]).guesses
    assert [one.is_sure for one in guesses if one.field == "description"] == [is_sure]
