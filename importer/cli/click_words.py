"""The templates of click that a person can meet, marked so that our catalogues translate them too.

Click looks them up itself, through gettext (`language.speaking_as_asked`). Versions of click word some of them
differently; a test finds those of the installed version here.
"""

from __future__ import annotations

from importer.messages import gettext_noop, ngettext_noop

WORDS = (
    gettext_noop("Usage:"),
    gettext_noop("Options"),
    gettext_noop("Commands"),
    gettext_noop("Positional arguments"),
    gettext_noop("Show this message and exit."),
    gettext_noop("Show the version and exit."),
    gettext_noop("default: {default}"),
    gettext_noop("required"),
    gettext_noop("Error: {message}"),
    gettext_noop("Error: invalid input"),
    gettext_noop("Try '{command} {option}' for help."),
    gettext_noop("Missing command."),
    gettext_noop("Missing argument"),
    gettext_noop("Missing option"),
    gettext_noop("Missing parameter"),
    gettext_noop("Missing parameter: {param_name}"),
    gettext_noop("Missing {param_type}"),
    gettext_noop("Invalid value: {message}"),
    gettext_noop("Invalid value for {param_hint}: {message}"),
    gettext_noop("No such option {name!r}."),
    gettext_noop("No such option: {name}"),  # click 8.2
    gettext_noop("No such command {name!r}."),
    gettext_noop("Option {name!r} does not take a value."),
    gettext_noop("Argument {name!r} takes {nargs} values."),
    ngettext_noop("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    ngettext_noop("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    ngettext_noop("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
)
