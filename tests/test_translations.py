"""The catalogues of Spanish and Portuguese: complete, true to their templates and to the glossary."""

from __future__ import annotations

import gettext
import io
import re
import string
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import catalogues
import pytest

ROOT = Path(__file__).parent.parent
TAGS = tuple(catalogues.PLURALS)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
CODE = re.compile(r"`[a-z_][^`]*`")
VERDICTS = {"`created`", "`not created`"}  # what a person chooses in the workbook, in the language of the workbook
PERCENT = re.compile(r"%\([a-z]+\)s")


@lru_cache
def pairs(tag: str) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Return the templates of a language's catalogue with their translations; both have one form, or two."""
    catalogue = catalogues.read(catalogues.source(tag).read_text("utf-8"))
    return tuple((catalogues.forms(each.id), catalogues.forms(each.string)) for each in catalogues.messages(catalogue))


def translations(tag: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield each template, one of its translations, and all forms of the template; not those that are missing."""
    for templates, translated in pairs(tag):
        for number, text in enumerate(translated):
            if text:
                yield templates[min(number, len(templates) - 1)], text, templates


def fields(template: str) -> set[str]:
    """Return the names of the values in a template."""
    names = {name for _text, name, _spec, _conversion in string.Formatter().parse(template) if name is not None}
    return names | set(PERCENT.findall(template))


def specs(template: str) -> Iterator[tuple[str, str]]:
    """Yield the values in a template that have a format, and the format."""
    for _text, name, spec, _conversion in string.Formatter().parse(template):
        if name is not None and spec:
            yield name, spec


@pytest.mark.parametrize("tag", TAGS)
def test_a_catalogue_is_complete(tag: str) -> None:
    """It has every sentence of the template file and no other, each in all of its forms, none of them a guess."""
    text = catalogues.source(tag).read_text("utf-8")
    template = (catalogues.LOCALE / "messages.pot").read_text("utf-8")
    assert text == catalogues.updated(tag, template, text), "run `make messages`"
    catalogue = catalogues.read(text)
    assert [each.id for each in catalogues.messages(catalogue) if each.fuzzy] == []
    missing = [
        templates[0] for templates, translated in pairs(tag) if len(templates) != len([*filter(None, translated)])
    ]
    assert missing == []


@pytest.mark.parametrize("tag", TAGS)
def test_a_compiled_catalogue_is_that_of_its_source(tag: str) -> None:
    """What is installed is what the translators wrote, and gettext reads it with the plural forms of the language."""
    file = catalogues.source(tag)
    compiled = file.with_suffix(".mo").read_bytes()
    assert compiled == catalogues.compiled(tag, file.read_text("utf-8")), "run `make messages`"
    read = gettext.GNUTranslations(io.BytesIO(compiled))
    assert read.info()["plural-forms"] == catalogues.PLURALS[tag]


@pytest.mark.parametrize("tag", TAGS)
def test_a_translation_names_the_values_of_its_template(tag: str) -> None:
    """It has the same placeholders; the form for one thing may leave out what the English one leaves out."""
    wrong = []
    for template, text, templates in translations(tag):
        allowed = [fields(each) for each in templates] if template == templates[0] else [fields(templates[-1])]
        if fields(text) not in allowed:
            wrong.append((template, text))
    assert wrong == []


@pytest.mark.parametrize("tag", TAGS)
def test_a_translation_formats_its_values_as_its_template_does(tag: str) -> None:
    """A number stays a number with the same places, and a date has a format of its own that is one."""
    wrong = []
    for _template, text, templates in translations(tag):
        english = dict(pair for each in templates for pair in specs(each))
        for name, spec in specs(text):
            if "%" in spec and "%" in english.get(name, ""):
                datetime(2026, 12, 31, tzinfo=UTC).strftime(spec)
                if re.search(r"%[^YmdHMSBbyz]", spec):
                    wrong.append((name, spec))
            elif spec != english.get(name):
                wrong.append((name, spec))
    assert wrong == []


@pytest.mark.parametrize("tag", TAGS)
def test_a_translation_begins_and_ends_as_its_template(tag: str) -> None:
    """White space around it, which lays out a listing, and the punctuation at its end are the same."""
    wrong = []
    for template, text, _templates in translations(tag):
        begin, end = re.compile(r"\s*"), re.compile(r"[.:?!…]?\s*\Z")
        same_begin = begin.match(template)[0] == begin.match(text)[0]  # type: ignore[index]
        if not same_begin or end.search(template)[0] != end.search(text)[0]:  # type: ignore[index]
            wrong.append((template, text))
    assert wrong == []


@pytest.mark.parametrize("tag", TAGS)
def test_options_and_code_stay_in_a_translation(tag: str) -> None:
    """What a person has to type is the same in every language."""
    wrong = []
    for template, text, _templates in translations(tag):
        kept, own = ({*OPTION.findall(one), *CODE.findall(one)} for one in (template, text))
        if not kept - VERDICTS <= own:
            wrong.append((template, text))
    assert wrong == []


# ------------------------------------------------------------------------------------------------ the glossary

NOUNS = ("mapping", "journal", "attachment", "column", "row", "quota", "folder", "workbook", "priority", "password")
"""English words that mean one thing wherever they stand; a translation says the glossary's word for them."""

EXCEPTIONS = {
    "expected a constant, or keys such as column, not a list",  # a key of the mapping, as in the next two
    "columns is missing: name columns, patterns or a list with each row's files",
    "the field has no source: write a constant, or name a column, template or object",
    "all rows differ",
}
"""Templates whose translation says it better without the glossary's word."""


@lru_cache
def glossary() -> tuple[dict[str, str], ...]:
    """Return the rows of the glossary's first table."""
    page = (ROOT / "docs" / "glossary.md").read_text("utf-8").split("## States")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    return tuple(dict(zip(("en", "es", "pt", "not"), row, strict=True)) for row in rows[2:])


def plain(text: str) -> str:
    """Return a text without accents and capitals."""
    parts = unicodedata.normalize("NFD", text.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def word_pattern(words: str) -> str:
    """Return a pattern for a word or several, in singular and plural."""
    ends = [(r"ao\b", r"(?:ao|oes)"), (r"cion\b", r"cion(?:es)?"), (r"l\b", r"(?:l|les|is)"), (r"m\b", r"(?:m|ns)")]
    inflected = []
    for word in plain(words).split():
        found = next(((re.sub(end, "", word), to) for end, to in ends if re.search(end, word)), None)
        inflected.append(found[0] + found[1] if found else f"{re.escape(word)}(?:s|es)?")
    return r"\b" + r"\s+".join(inflected) + r"\b"


def prose(template: str) -> str:
    """Return a template without what stays the same in every language: values, options, keys, code."""
    return re.sub(r"\{[^}]*\}|`[^`]*`|--?[a-z][a-z-]*|\b[a-z]+\.[a-z_]+\b|\b[a-z]+:", " ", template)


def forbidden(tag: str) -> Iterator[str]:
    """Yield the words that the glossary keeps out of a language: `spanish; portuguese`, or one list for both."""
    for row in glossary():
        spanish, semicolon, portuguese = row["not"].partition(";")
        listed = (spanish if tag == "es" else portuguese) if semicolon else row["not"]
        yield from (word for each in listed.split(",") if (word := each.strip()))


@pytest.mark.parametrize("tag", TAGS)
def test_no_translation_has_a_word_that_the_glossary_forbids(tag: str) -> None:
    """One thing has one name; a word that is part of a name (`registro de envíos`) may stand for it the second time."""
    names = [plain(row[tag]) for row in glossary() if " " in row[tag]]
    words = {word: re.compile(word_pattern(word)) for word in forbidden(tag)}
    found = []
    for _template, text, _templates in translations(tag):
        left = re.sub("|".join(map(word_pattern, names)), "", plain(prose(text)))
        for word, pattern in words.items():
            if pattern.search(left) and not any(plain(word) in name.split() for name in names):
                found.append((word, text))
    assert found == []


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("noun", NOUNS)
def test_a_translation_says_the_word_of_the_glossary(tag: str, noun: str) -> None:
    """Where the template has one of these nouns, the translation has the glossary's word for it."""
    word = next(row[tag] for row in glossary() if row["en"].split(" (")[0] == noun)
    english, ours = re.compile(rf"\b(?<!in a ){noun}s?\b"), re.compile(word_pattern(word))
    wrong = [
        (template, text)
        for template, text, templates in translations(tag)
        if english.search(prose(templates[0])) and not ours.search(plain(text)) and templates[0] not in EXCEPTIONS
    ]
    assert wrong == []


def test_the_words_of_a_glossary_are_found_in_all_forms() -> None:
    """Accents, capitals and plurals do not hide a word, and a part of a word is none."""
    assert re.search(word_pattern("configuración"), plain("Las CONFIGURACIONES"))
    assert re.search(word_pattern("configuração"), plain("as configurações"))
    assert re.search(word_pattern("registro de envíos"), plain("El registro de envíos"))
    assert not re.search(word_pattern("fuente"), plain("frecuentemente"))
