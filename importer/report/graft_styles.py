"""Append the styles of one workbook to those of another, and renumber the cells that wear them."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from defusedxml.ElementTree import fromstring

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_CELL = re.compile(r'(<c r="[A-Z]+\d+" s=")(\d+)"')
_RULE = re.compile(r'(<cfRule [^>]*dxfId=")(\d+)"')
_FIRST_OWN_FORMAT = 164  # number formats below are built into every spreadsheet program


def parsed(xml: str) -> ET.Element:
    """Return the root of a part; raises `ValueError` for one that defines entities, which no workbook does."""
    root: ET.Element = fromstring(xml, forbid_dtd=True)
    return root


@dataclass(frozen=True, slots=True)
class StyleShift:
    """How far the numbers of our styles moved when they were appended."""

    cells: int
    rules: int

    def applied(self, sheet: str) -> str:
        """Return a piece of a sheet's XML, as openpyxl writes it, with the new numbers; no piece ends inside a tag."""
        sheet = _CELL.sub(lambda match: f'{match[1]}{int(match[2]) + self.cells}"', sheet)
        return _RULE.sub(lambda match: f'{match[1]}{int(match[2]) + self.rules}"', sheet)


def merged_styles(host: str, donor: str) -> tuple[str, StyleShift]:
    """Return the styles of `host` with those of `donor` behind them, and how to renumber the donor's cells."""
    theirs, ours = parsed(host), parsed(donor)
    moved = {name: len(_children(theirs, name)) for name in ("fonts", "fills", "borders", "cellXfs", "dxfs")}
    formats = _new_formats(theirs, ours)
    new = {name: _children(ours, name) for name in ("fonts", "fills", "borders", "dxfs")}
    new["cellXfs"] = [_moved(xf, moved, formats) for xf in _children(ours, "cellXfs")]
    new["numFmts"] = [_renumbered(each, formats) for each in _children(ours, "numFmts")]
    for name, items in new.items():
        host = _appended(host, name, items, len(_children(theirs, name)))
    return host, StyleShift(moved["cellXfs"], moved["dxfs"])


def _children(styles: ET.Element, section: str) -> list[ET.Element]:
    return list(styles.find(f"{_MAIN}{section}") or ())


def _new_formats(theirs: ET.Element, ours: ET.Element) -> dict[str, str]:
    """Give our number formats numbers that the other workbook does not use."""
    used = [int(each.get("numFmtId", 0)) for each in _children(theirs, "numFmts")]
    first = max([_FIRST_OWN_FORMAT - 1, *used]) + 1
    return {each.get("numFmtId", ""): str(first + index) for index, each in enumerate(_children(ours, "numFmts"))}


def _renumbered(number_format: ET.Element, formats: dict[str, str]) -> ET.Element:
    copied = deepcopy(number_format)
    copied.set("numFmtId", formats[copied.get("numFmtId", "")])
    return copied


def _moved(xf: ET.Element, moved: dict[str, int], formats: dict[str, str]) -> ET.Element:
    copied = deepcopy(xf)
    for name, section in (("fontId", "fonts"), ("fillId", "fills"), ("borderId", "borders")):
        copied.set(name, str(int(copied.get(name, 0)) + moved[section]))
        copied.set(f"apply{name[0].upper()}{name[1:-2]}", "1")
    copied.set("numFmtId", formats.get(copied.get("numFmtId", ""), copied.get("numFmtId", "0")))
    copied.set("applyNumberFormat", "1")
    copied.set("xfId", "0")
    return copied


def _appended(xml: str, section: str, items: list[ET.Element], present: int) -> str:
    """Return styles with more items at the end of a section, which is made where there is none."""
    if not items:
        return xml
    text = "".join(ET.tostring(item, "unicode") for item in items)
    count = f'count="{present + len(items)}"'
    found = re.search(rf"<((?:\w+:)?){section}\b([^>]*?)(/?)>", xml)
    if found is None:
        return _with_section(xml, section, f"{count}>{text}")
    prefix, attributes = found[1], re.sub(r'\s*\bcount="\d+"', "", found[2])
    opened = f"<{prefix}{section}{attributes} {count}>"
    if found[3]:
        return f"{xml[: found.start()]}{opened}{text}</{prefix}{section}>{xml[found.end() :]}"
    end = xml.index(f"</{prefix}{section}", found.end())
    return f"{xml[: found.start()]}{opened}{xml[found.end() : end]}{text}{xml[end:]}"


def _with_section(xml: str, section: str, rest: str) -> str:
    """Make a section where the format wants it: number formats first of all, rules' formats after the cells' names."""
    before = "cellStyles" if "cellStyles" in xml else "cellXfs"
    place = r"<((?:\w+:)?)styleSheet\b[^>]*>" if section == "numFmts" else rf"</((?:\w+:)?){before}\s*>"
    found = re.search(place, xml)
    if found is None:
        raise ValueError(section)
    return f"{xml[: found.end()]}<{found[1]}{section} {rest}</{found[1]}{section}>{xml[found.end() :]}"
