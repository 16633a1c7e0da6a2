"""Encodings of text files: how often they are guessed, and what is said where the text is in doubt."""

# ruff: noqa: RUF001 - signs that look like others are what this is about

from __future__ import annotations

import io
import re
from collections import Counter
from pathlib import Path

import pytest
from encoding_corpus import CODECS, names, texts, written_in
from source_support import rows_of, texts_of, written

from importer.model import CellError, TableOptions, earlier_reading
from importer.source import Table, open_table
from importer.source.delimited.encoding import detect_encoding

PAGE = Path(__file__).parent.parent / "docs" / "spreadsheets.md"


def read(folder: Path, content: bytes, encoding: str | None = None) -> Table:
    """Return the table in a text file."""
    return open_table(written(folder / "t.csv", content), TableOptions(encoding=encoding))


def is_right(text: str, codec: str) -> bool:
    """Return whether a text in this encoding is read as it was written."""
    content = text.encode(codec)
    return content.decode(detect_encoding(io.BytesIO(content), None).codec, "replace") == text


def test_the_page_has_the_measured_share_of_right_guesses() -> None:
    """Five hundred short texts in each encoding are read, and the page says how many of them rightly."""
    right, total = Counter[str](), Counter[str]()
    for text in texts():
        for codec in CODECS:
            version = written_in(text, codec)
            if not version.isascii():
                total[codec] += 1
                right[codec] += is_right(version, codec)
    shown = dict(re.findall(r"^\| `([\w-]+)` \| (\d+ of \d+) \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert shown == {codec: f"{right[codec]} of {total[codec]}" for codec in CODECS}
    assert all(right[codec] >= 0.99 * total[codec] for codec in CODECS)


@pytest.mark.parametrize(("codec", "least"), [("cp1252", 0.99), ("mac_roman", 0.88), ("cp850", 0.94)])
def test_a_single_word_is_mostly_enough(codec: str, least: float) -> None:
    """Names of countries and languages, one in a file, are read rightly: nearly all of Windows, most of the others."""
    found = [is_right(f"Ticket;Nota\r\n1;{name}\r\n", codec) for name in names() if written_in(name, codec) == name]
    assert len(found) > 100
    assert sum(found) >= least * len(found)


SIGNS = ["“Urgente”", "EL “NO SIRVE”", "Cali – Bogotá", "CALI – PENDIENTE", "espere…", "the client’s", "‘ok’", "£20"]
SIGNS += [
    "20 €",
    "€15",
    "uno · dos",
    "• uno",
    "20° C",
    "Nº 5",
    "1ª vez",
    "ok\u00a0",
    "$\u00a020",
    "marca®",
    "José",
    "É",
]


@pytest.mark.parametrize("text", SIGNS)
def test_a_sign_of_windows_alone_is_enough(text: str) -> None:
    """The only character beyond ASCII in a file of Windows is read rightly."""
    assert is_right(f"Ticket;Nota;Estado\r\n1;{text};Abierto\r\n", "cp1252")


OF_MACS = ["25 °C", "25°C", "18 ºC", "25 °F", "N° 1", "n° 5", "Calle 5 N° 3-22", "N° 1 y N° 2", "N.° 5", "1° de mayo"]
OF_MACS += ["John O’Neill", "JOHN O’NEILL", "María D’Angelo", "O’Higgins", "L’Oréal", "9 µm", "5µF", "Ámbar", "50 m²"]


@pytest.mark.parametrize("codec", ["mac_roman", "cp1252", "cp850"])
@pytest.mark.parametrize("text", OF_MACS)
def test_a_sign_of_addresses_names_and_measures_alone_is_enough(text: str, codec: str) -> None:
    """Degrees, numbers of houses, apostrophes in names and micrometres are read as they were typed."""
    version = written_in(text, codec)
    assert is_right(f"Ticket;Nota;Estado\r\n1;{version};Abierto\r\n2;ok;x\r\n", codec)


@pytest.mark.parametrize("text", ["1º piso", "§5", "ní 5", "Õ", "JosÉ", "“ok”", "25 °", "N° de caso"])
def test_lines_that_end_as_on_old_macs_are_of_a_mac(text: str) -> None:
    """Where a carriage return alone ends each line, a sign that may be several is the one of Mac Roman."""
    assert is_right(f"Ticket;Nota\r1;{text}\r2;ok\r", "mac_roman")


@pytest.mark.parametrize("text", ["20 €", "€15", "Cobro de 20 €"])
def test_a_euro_of_latin_9_is_one(text: str) -> None:
    """The one sign in which Latin-9 often differs from Windows is read as it was typed."""
    assert is_right(f"Ticket;Nota\n1;{text}\n", "iso8859-15")


MISREAD = {
    "25 °C": "cp1252",
    "Calle 5 N° 3-22": "cp850",
    "Calle 5 n° 3": "cp1252",
    "N° de caso": "cp850",
    "John O’Neill": "cp1252",
    "JOHN O’NEILL": "cp1252",
    "§5": "cp850",
}


@pytest.mark.parametrize("text", MISREAD)
def test_signs_of_macs_that_are_read_otherwise_are_told(tmp_path: Path, text: str) -> None:
    """What a wrong encoding makes of a sign is in no text, so a note shows the row."""
    table = read(tmp_path, f"Ticket;Nota\r\n1;{text}\r\n2;ok\r\n".encode("mac_roman"), MISREAD[text])
    assert any("row 2" in note for note in table.notes if "source.encoding" in note)


@pytest.mark.parametrize(
    "text", [*OF_MACS, "¡A trabajar!", "a las 5 ¡ya!", "¿Y ahora?", "§ 5", "§ único", "Sí 3", "3 ó 4"]
)
def test_signs_where_they_belong_are_not_told(tmp_path: Path, text: str) -> None:
    """What offices write gives no note about unusual letters."""
    table = read(tmp_path, f"Ticket;Nota\r\n1;{text}\r\n2;ok\r\n".encode("cp1252"), "cp1252")
    assert not any("unusual" in note for note in table.notes)


@pytest.mark.parametrize(
    ("text", "is_odd"),
    [
        ("Llene Estado, o agregue a status en la configuración: `default: …`", False),
        ("Agregue una columna a `fields`, `solution: {column: …}`, o cambie Estado", False),
        ("Vou …?", True),  # it may be an à of another encoding
    ],
)
def test_what_a_report_says_is_not_unusual(tmp_path: Path, text: str, *, is_odd: bool) -> None:
    """The sentences of a report that was saved as CSV give no note about the ellipsis of a line that they propose."""
    content = f"Ticket;Problemas\r\n1;{text}\r\n2;Atención\r\n".encode("cp1252")
    table = read(tmp_path, content, "cp1252")
    assert any("unusual" in note for note in table.notes) == is_odd


@pytest.mark.parametrize("text", ["QUE PASÓ…", "JOSÉ”", "NO SÉ… SÉ…", "ASÍ…", "PERÚ»"])
def test_signs_of_windows_that_are_utf8_by_chance(tmp_path: Path, text: str) -> None:
    """A capital and a sign of cp1252 may be a letter of another script in UTF-8; the cell keeps that reading, too."""
    path = written(tmp_path / "t.csv", f"Ticket;Nota\n1;{text}\n".encode("cp1252"))
    (cell,) = (cells[1] for cells in rows_of(open_table(path)).values())
    assert str(cell) == text
    assert earlier_reading(cell) == text.encode("cp1252").decode()


@pytest.mark.parametrize("text", ["Škoda", "Łódź", "привет", "Ελλάδα", "שלום", "Şişli", "œuvre", "Ő", "İstanbul"])
def test_letters_of_others_are_utf8(tmp_path: Path, text: str) -> None:
    """A text in UTF-8 stays one, although none of its letters is of our languages."""
    path = written(tmp_path / "t.csv", f"Ticket;Nota\n1;{text}\n2;hola\n")
    assert rows_of(open_table(path))[2][1] == text


def test_cells_keep_what_an_earlier_guess_took(tmp_path: Path) -> None:
    """Where the guess has changed, a cell knows its earlier text, and one that reads the same does not."""
    rows = rows_of(read(tmp_path, "Ticket;Nota\r\n1;“NO SIRVE” – x\r\n2;y\r\n".encode("cp1252")))
    assert [str(cell) for cell in rows[2]] == ["1", "“NO SIRVE” – x"]
    assert [str(earlier_reading(cell)) for cell in rows[2]] == ["1", "ìNO SIRVEî ñ x"]
    assert {type(cell) for cell in (rows[2][0], *rows[3])} == {str}


def test_windows_bytes_in_utf8_are_read_and_told_by_row(tmp_path: Path) -> None:
    """Lines that another program added in cp1252 keep their letters, and a note names each row."""
    content = "a,b\n1,Petición\n".encode() + "2,Señor “X”\n3,Año\n4,x\n".encode("cp1252")
    for encoding in (None, "utf-8"):
        table = read(tmp_path, content, encoding)
        assert [cells[1] for cells in texts_of(table).values()] == ["Petición", "Señor “X”", "Año", "x"]
        note = next(note for note in table.notes if "not UTF-8" in note)
        assert "row 3: “Señor “X””, row 4: “Año”" in note


def test_a_mixed_file_keeps_what_the_earlier_guess_took(tmp_path: Path) -> None:
    """A file of half UTF-8 was read as Windows text; its rows are still known by that."""
    rows = rows_of(read(tmp_path, "a,b\n1,Petición\n".encode() + "2,Año\n3,Señor\n".encode("cp1252")))
    assert [str(earlier_reading(row[1])) for row in rows.values()] == ["PeticiÃ³n", "Año", "Señor"]


@pytest.mark.parametrize("piece", [b"Petici\xc3", b"x\xe2\x80", b"\xfe\xff\xfb", b"A\x81o", b"n\xd1o"])
def test_bytes_that_are_nothing_stay_faults_of_their_cell(tmp_path: Path, piece: bytes) -> None:
    """A letter of UTF-8 that was cut, or bytes that make no text in Windows either, are not guessed at."""
    table = read(tmp_path, "a,b\n1,Petición\n2,Señor\n".encode() + b"3," + piece + b"\n")
    cell = rows_of(table)[4][1]
    assert isinstance(cell, CellError)
    assert cell.code == "undecodable"


@pytest.mark.parametrize("text", ["PeticiÃ³n", "NÃšMERO", "â€œholaâ€\u009d", "20Â°", "GESTIÃ“N"])
@pytest.mark.parametrize("place", ["cell", "header"])
def test_text_that_was_converted_twice_is_told(tmp_path: Path, text: str, place: str) -> None:
    """UTF-8 that a program took for Windows text stays as it is, and a note says what it probably means."""
    content = f"a,b\n1,{text}\n" if place == "cell" else f"a,{text}\n1,x\n"
    table = read(tmp_path, content.encode())
    note = next(note for note in table.notes if "twice" in note)
    assert f"row {2 if place == 'cell' else 1}" in note


@pytest.mark.parametrize("text", ["AMANHÃ", "Ângulo", "“AMANHÔ", "CÂMBIO", "Ã", "pâté", "NÃO"])
def test_portuguese_is_not_taken_for_converted_twice(tmp_path: Path, text: str) -> None:
    """Ã and Â are letters, too."""
    assert not any("twice" in note for note in read(tmp_path, f"a,b\n1,{text}\n".encode()).notes)


def test_letters_that_nobody_writes_are_told_with_examples(tmp_path: Path) -> None:
    """A wrong encoding is seen by what it makes of the cells; text as it should be gives no such note."""
    content = "Ticket;Nota\r\n1;EL CLIENTE DICE “NO SIRVE” – ver\r\n2;ok\r\n".encode("cp1252")
    told = [note for note in read(tmp_path, content, "mac_roman").notes if "source.encoding" in note]
    assert any("row 2: “EL CLIENTE DICE ìNO SIRVEî ñ ver”" in note for note in told)
    assert not any("rare" in note for note in read(tmp_path, content).notes)
