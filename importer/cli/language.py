"""The language of the command line: `--lang`, help that is translated when it is shown, and click's own words."""

from __future__ import annotations

import copy
import gettext
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise, takewhile
from typing import Literal, TypeVar

import click

from importer import messages
from importer.commands import placeholder
from importer.languages import known_language
from importer.messages import _, gettext_noop, translated, use_language

OPTION = "--lang"

Kind = TypeVar("Kind", bound=click.Command)

_VARIABLE = "LANGUAGE"
"""Where gettext itself looks for the language first."""


class SpokenLanguage(click.ParamType[str]):
    """`es`, `pt` or `en`, also with a country."""

    name = "es|pt|en"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the language; `speaking_as_asked` has read it from the command line already, and speaks it."""
        known = known_language(str(value))
        if known is None:
            self.fail(_("{value} is not one of es, pt, en", value=value), param, ctx)
        return known


@contextmanager
def speaking_as_asked(arguments: Sequence[str]) -> Iterator[None]:
    """Speak the language that `--lang` anywhere on the line asks for, else that of the environment, until the end."""
    before = use_language(_asked(arguments))
    try:
        with _click_speaking(messages.language()):
            yield
    finally:
        use_language(before)


def _asked(arguments: Sequence[str]) -> str | None:
    """Return the language of the last `--lang`, before anything else on the line can be at fault."""
    words = list(takewhile(lambda word: word != "--", arguments))
    values = [after for word, after in pairwise(words) if word == OPTION]
    values += [word.removeprefix(f"{OPTION}=") for word in words if word.startswith(f"{OPTION}=")]
    known = [tag for value in values if (tag := known_language(value))]
    return known[-1] if known else None


@contextmanager
def _click_speaking(tag: str) -> Iterator[None]:
    """Let click find its own words in our catalogue: it asks gettext, which goes by the environment."""
    before, domain = os.environ.get(_VARIABLE), gettext.textdomain()
    os.environ[_VARIABLE] = tag if messages.has_catalogue(tag) else "en"
    gettext.bindtextdomain(messages.DOMAIN, messages.FOLDER)
    gettext.textdomain(messages.DOMAIN)
    try:
        yield
    finally:
        gettext.textdomain(domain)
        os.environ.pop(_VARIABLE)
        if before is not None:
            os.environ[_VARIABLE] = before


def in_language(command: Kind) -> Kind:
    """Return a command as it is shown now: with `--lang`, and with its help in the language that is spoken."""
    shown = copy.copy(command)
    shown.help = command.help and translated(command.help)
    shown.short_help = command.short_help and translated(command.short_help)
    shown.options_metavar = _("[OPTIONS]")
    shown.params = [_param_in_language(param) for param in (*command.params, _option())]
    if isinstance(shown, click.Group):
        shown.subcommand_metavar = _("COMMAND [ARGS]...")
        shown.commands = {name: in_language(each) for name, each in shown.commands.items()}
    return shown


def _param_in_language(param: click.Parameter) -> click.Parameter:
    shown = copy.copy(param)
    if isinstance(shown, click.Option):
        shown.help = shown.help and translated(shown.help)
        shown.metavar = placeholder(shown.metavar) if shown.metavar else _type_in_language(param)
    elif shown.metavar or param.required:
        name = shown.metavar or str(param.name).upper()
        bare = name.strip("[]") if name.startswith("[") else name
        shown.metavar = name.replace(bare, placeholder(bare))
    else:
        shown.metavar = f"[{placeholder(str(param.name).upper())}]"
    return shown


def _type_in_language(param: click.Parameter) -> str | None:
    """Return what help calls the value of an option that has no name of its own; None leaves it to click."""
    name = param.type.name.upper()
    return placeholder(name) if name in {"PATH", "TEXT", "SECONDS", "STATES"} else None


def _option() -> click.Option:
    return click.Option(
        [OPTION],
        type=SpokenLanguage(),
        expose_value=False,
        help=gettext_noop("Language of sentences and reports (default: the system's)."),
    )


# ------------------------------------------------------------------------------------------------ questions

_YES = {"y", "yes", "s", "si", "sí", "sim"}
_NO = {"", "n", "no", "não", "nao"}


def confirm(question: str) -> bool:
    """Ask a person for yes or no, in any of our languages; Enter alone is no."""
    while True:
        asked = _("{question} [y/N]", question=question)
        answer = str(click.prompt(asked, default="", show_default=False, err=True)).strip().casefold()
        if answer in _YES | _NO:
            return answer in _YES
        click.echo(_("Answer y for yes or n for no."), err=True)


def is_yes(answer: str) -> bool:
    """Tell whether what a person typed is a yes, in any of our languages."""
    return answer.strip().casefold() in _YES


def is_no(answer: str) -> bool:
    """Tell whether what a person typed is a no, in any of our languages; Enter alone is none here."""
    return bool(answer.strip()) and answer.strip().casefold() in _NO


def observed(question: str) -> Literal["yes", "no", "unknown"]:
    """Ask a person what they see, in any of our languages: `yes`, `no`, or `unknown` for Enter alone."""
    while True:
        asked = _("{question} [y/n, Enter: unknown]", question=question)
        answer = str(click.prompt(asked, default="", show_default=False, err=True)).strip().casefold()
        if answer in _YES:
            return "yes"
        if answer in {"", "unknown"}:
            return "unknown"
        if answer in _NO:
            return "no"
        click.echo(_("Answer y for yes or n for no."), err=True)
