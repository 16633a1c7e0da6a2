"""The catalogues of `importer/locale/`: brought up to date with the template file, and compiled.

`python tests/test_messages.py --update` writes them. Nothing in them depends on the day or on the version of Babel.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

LOCALE = Path(__file__).parent.parent / "importer" / "locale"
PLURALS = {"es": "nplurals=2; plural=(n != 1);", "pt": "nplurals=2; plural=(n > 1);"}
LOCALES = {"es": "es_CO", "pt": "pt_BR"}
_HEADERS = (
    ("Project-Id-Version", "wolkvox-case-importer"),
    ("MIME-Version", "1.0"),
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Transfer-Encoding", "8bit"),
)


def headers(tag: str) -> list[tuple[str, str]]:
    """Return the headers of a catalogue."""
    return [*_HEADERS, ("Language", LOCALES[tag]), ("Plural-Forms", PLURALS[tag])]


class PlainCatalog(Catalog):
    """A catalogue whose compiled header names neither a day nor a version."""

    tag = "es"

    @property
    def mime_headers(self) -> list[tuple[str, str]]:  # type: ignore[override]  # only read here
        """Return the headers."""
        return headers(self.tag)


def source(tag: str) -> Path:
    """Return where the translations of a language are."""
    return LOCALE / tag / "LC_MESSAGES" / "case-importer.po"


def read(text: str) -> Catalog:
    """Return the catalogue that a .po or .pot file holds; Babel's own rules of a locale have other plural forms."""
    return read_po(io.BytesIO(text.encode("utf-8")))


def messages(catalogue: Catalog) -> Iterator[Message]:
    """Yield the messages of a catalogue without its header."""
    return (message for message in catalogue if message.id)


def forms(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the forms of a sentence: one, or two where it has a plural."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def updated(tag: str, template: str, before: str) -> str:
    """Return the .po file of a language for a template file, with the translations that it has already.

    A new sentence is empty, never guessed from one like it; one that the code has no more is dropped.
    """
    known = {message.id if isinstance(message.id, str) else tuple(message.id): message for message in read(before)}
    after = Catalog()
    for message in messages(read(template)):
        same = known.get(message.id if isinstance(message.id, str) else tuple(message.id))
        string = same.string if same else ""
        after.add(
            message.id,
            string,
            locations=message.locations,
            flags=(message.flags - {"python-format"}) | ({"fuzzy"} if same and same.fuzzy else set()),
            user_comments=same.user_comments if same else (),
        )
    for message in messages(after):
        message.flags.discard("python-format")
    written = io.BytesIO()
    write_po(written, after, width=0, omit_header=True, sort_output=True, include_lineno=False)
    head = "".join(f'"{name}: {value}\\n"\n' for name, value in headers(tag))
    title = f"# The sentences of wolkvox-case-importer in {tag}. `make messages` brings them up to date.\n"
    return f'{title}msgid ""\nmsgstr ""\n{head}\n' + written.getvalue().decode("utf-8").rstrip("\n") + "\n"


def compiled(tag: str, text: str) -> bytes:
    """Return the .mo file of a .po file; sentences without a whole translation are left out, so they stay English."""
    catalogue = PlainCatalog()
    catalogue.tag = tag
    for message in messages(read(text)):
        if all(forms(message.string)) and not message.fuzzy:
            catalogue.add(message.id, message.string)
    written = io.BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


def update(template: str) -> None:
    """Bring all catalogues up to date with a template file, and compile them."""
    for tag in PLURALS:
        file = source(tag)
        file.parent.mkdir(parents=True, exist_ok=True)
        text = updated(tag, template, file.read_text("utf-8") if file.exists() else "")
        file.write_text(text, "utf-8", newline="\n")
        file.with_suffix(".mo").write_bytes(compiled(tag, text))
