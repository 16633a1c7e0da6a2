"""What is wrong with a file that is not YAML, and what to do: in our words, since PyYAML's are for programmers."""

from __future__ import annotations

import re

import yaml

from importer.messages import _, gettext_noop
from importer.system.causes import reworded

_BEGINS = gettext_noop("a value cannot begin with {sign}; put the value in quotes")
_INDENTED = gettext_noop(
    "the line is indented otherwise than the lines it belongs with, or the line above it still has {{}} or a value;"
    " indent it like its neighbours, or remove what is above it"
)

_PROBLEMS = (
    (r".*\\t.*", gettext_noop("a tab where only spaces are allowed; indent with spaces")),
    (r".*found character ['\"](?P<sign>.+)['\"] that cannot start any token", _BEGINS),
    (r"while (scanning|parsing) an? (alias|anchor|tag|directive|block scalar),.*", _BEGINS),
    (r".*found undefined tag handle.*|.*duplicate tag handle.*", _BEGINS),
    (r".*(duplicate|incompatible) YAML .*", gettext_noop("a line that begins with % is not allowed; remove it")),
    (
        r".*expected <block end>, but found '<scalar>'",
        gettext_noop("there is text after the closing quote; put the whole value in quotes"),
    ),
    (
        r".*expected <block end>, but found '(?P<sign>[\]},])'",
        gettext_noop("{sign} is out of place; remove it, or put the whole value in quotes"),
    ),
    (r".*expected <block end>, but found .*", _INDENTED),
    (
        r".*could not find expected ':'",
        gettext_noop("there is no ':' after the name; write name: value, with a space after the ':'"),
    ),
    (
        r"mapping values are not allowed here",
        gettext_noop(
            "a ':' is out of place; put a value that has ': ' in it in quotes, and indent the line like its neighbours"
        ),
    ),
    (
        r"sequence entries are not allowed here",
        gettext_noop("a list begins on a line of its own: write each entry below, as - entry"),
    ),
    (r"mapping keys are not allowed here", gettext_noop("a '?' is out of place; put the value in quotes")),
    (
        r"while parsing a flow sequence, .*",
        gettext_noop(
            "the [ on line {line} is not closed before this; write ] where the list ends, and a comma between entries"
        ),
    ),
    (
        r"while parsing a flow mapping, .*",
        gettext_noop(
            "the {{ on line {line} is not closed before this; write }} where it ends, and a comma between entries"
        ),
    ),
    (
        r"while scanning a quoted scalar, .*",
        gettext_noop("the quote that opens here is not closed; write a second one where the value ends"),
    ),
    (
        r"while scanning a double-quoted scalar, .*",
        gettext_noop("in double quotes a \\ begins a special character; use single quotes instead"),
    ),
    (
        r".*expected the node content, .*",
        gettext_noop("there is no value here, or one that begins with a sign of YAML; put the value in quotes"),
    ),
    (
        r".*expected '<document start>', .*",
        gettext_noop(
            "the mapping ended above this line; write every line as name: value, indented like its neighbours"
        ),
    ),
)  # fmt: skip

_AT_THE_BEGINNING = re.compile("could not find expected ':'|while scanning an? |found duplicate|while parsing a tag")
"""Problems that PyYAML notices only later: they are shown where what it was reading began."""


def mark_of(error: yaml.MarkedYAMLError) -> yaml.Mark | None:
    """Return the place to look at."""
    if error.context_mark is not None and _AT_THE_BEGINNING.search(_words(error)):
        return error.context_mark
    return error.problem_mark or error.context_mark


def problem_in_words(error: yaml.MarkedYAMLError, text: str) -> str:
    """Return what is wrong in the file with this text, and what to do."""
    words, began = _words(error), error.context_mark or error.problem_mark
    sign = text[began.index : began.index + 1] if began else ""
    known = reworded(words, _PROBLEMS, sign=sign, line=began.line + 1 if began else 1)
    if known != words:
        return known
    return _(
        "a sign or the indentation is not as YAML needs it; compare the line with its neighbours, and put values with"
        " signs in quotes ({problem})",
        problem=words,
    )


def _words(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(filter(None, (error.context, error.problem)))


_EXPRESSIONS = (
    ("unterminated character set", gettext_noop("unterminated character set")),
    ("missing \\), unterminated subpattern", gettext_noop("missing ), unterminated subpattern")),
    ("unbalanced parenthesis", gettext_noop("unbalanced parenthesis")),
    ("nothing to repeat", gettext_noop("nothing to repeat")),
    ("multiple repeat", gettext_noop("multiple repeat")),
    ("bad escape \\(end of pattern\\)", gettext_noop("bad escape (end of pattern)")),
    ("bad escape (?P<sign>.*)", gettext_noop("bad escape {sign}")),
    ("bad character range (?P<sign>.*)", gettext_noop("bad character range {sign}")),
    ("min repeat greater than max repeat", gettext_noop("min repeat greater than max repeat")),
    ("unknown extension (?P<sign>.*)", gettext_noop("unknown extension {sign}")),
    ("missing (?P<sign>.*), unterminated name", gettext_noop("missing {sign}, unterminated name")),
    ("look-behind requires fixed-width pattern", gettext_noop("look-behind requires fixed-width pattern")),
    ("invalid group reference (?P<sign>.*)", gettext_noop("invalid group reference {sign}")),
    ("unknown group name (?P<sign>.*)", gettext_noop("unknown group name {sign}")),
    ("missing group name", gettext_noop("missing group name")),
    ("unexpected end of pattern", gettext_noop("unexpected end of pattern")),
)  # fmt: skip


def expression_in_words(error: re.error) -> str:
    """Return what is wrong with a regular expression; in English in the words of Python."""
    problem = reworded(error.msg, _EXPRESSIONS)
    return problem if error.pos is None else _("{problem} at position {position}", problem=problem, position=error.pos)
