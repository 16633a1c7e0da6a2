"""What people call the parts and settings of a workbook, in the words of spreadsheet programs."""

from __future__ import annotations

import re

from importer.messages import _


def part_in_words(description: str, name: str) -> str:
    """Return what people call a part whose content type and name contain one of these words."""
    words = {
        "chart": _("charts"),
        "pivot": _("pivot tables"),
        "threadedcomment": _("threaded comments"),
        "person": _("threaded comments"),
        "comment": _("the size and format of notes"),
        "ctrlprop": _("form controls"),
        "activex": _("form controls"),
        "vba": _("macros"),
        "macro": _("macros"),
        "slicer": _("slicers"),
        "timeline": _("timelines"),
        "externallink": _("links to other workbooks"),
        "connection": _("data connections"),
        "querytable": _("data connections"),
        "customxml": _("custom XML data"),
        "customui": _("its own ribbon"),
        "embedding": _("embedded objects"),
        "oleobject": _("embedded objects"),
        "signature": _("a digital signature"),
        "sheetmetadata": _("dynamic arrays or linked data types"),
        "richdata": _("dynamic arrays or linked data types"),
        "featurepropertybag": _("check boxes in cells"),
        "revision": _("tracked changes"),
        "drawing": _("drawings and pictures"),
        "media/": _("drawings and pictures"),
        "image/": _("drawings and pictures"),
    }
    return next((known for word, known in words.items() if word in description), _("the part {name}", name=name))


def shapes_in_words(xml: bytes) -> str:
    """Return what people call the shapes of a VML drawing, the old kind that only these three still need."""
    kinds = set(re.findall(rb'ObjectType="(\w+)"', xml))
    if not kinds:
        return _("pictures in headers and footers")
    return _("the size and format of notes") if kinds == {b"Note"} else _("form controls")


def setting_in_words(name: str, sheet: str | None) -> str:
    """Return what people call an element, an attribute or an extension that is lost."""
    tag, _space, rest = name.partition(" ")
    if tag == "definedName":
        return _name_in_words(rest)
    if tag == "extension":
        return _("the extension {name}", name=rest)
    element = tag.partition("@")[0]
    if element in {"ext", "extLst", "sqref", "AlternateContent", "Choice"} or element.startswith("x14"):
        return _("features of newer versions of Excel, such as sparklines")
    if element.endswith(("Header", "Footer")):
        return _("the format of headers and footers")
    words = _words_for_settings()
    things = words.get(tag) or words.get(element) or _("the setting {name}", name=element)
    return things if sheet is None else _("{things} of the sheet {sheet}", things=things, sheet=sheet)


def _name_in_words(name: str) -> str:
    """Return what people call a defined name that is lost; programs give some things names of their own."""
    known = {
        "_xlnm.Print_Area": _("the print area"),
        "_xlnm.Print_Titles": _("the rows and columns to repeat on every page"),
        "_xlnm.Criteria": _("the ranges of an advanced filter"),
        "_xlnm.Extract": _("the ranges of an advanced filter"),
    }
    return known.get(name) or _("the name {name}", name=name)


def _words_for_settings() -> dict[str, str]:
    """Return what people call elements and attributes, a list and its entries by the same words."""
    read_only, links = _("the recommendation to open it read-only"), _("how links to other workbooks are updated")
    lists, conditional = _("lists to choose from and other checks of cells"), _("conditional formats")
    views, consolidated, scenarios = _("custom views"), _("consolidated data"), _("scenarios")
    filters, widths = _("filters and sorting"), _("the widths of columns")
    rows, grouping = _("the heights of rows"), _("the grouping of rows and columns")
    shown, printing = _("how it is shown"), _("print settings")
    return {
        **dict.fromkeys(("fileSharing", "DocSecurity"), read_only),
        "HyperlinkBase": _("the base address of its links"),
        "Manager": _("the manager in its properties"),
        "workbookPr@showObjects": _("the setting that hides its objects"),
        "workbookPr@backupFile": _("the setting that keeps a backup whenever it is saved"),
        **dict.fromkeys(("workbookPr@updateLinks", "workbookPr@saveExternalLinkValues"), links),
        **dict.fromkeys(("dataValidations", "dataValidation", "formula1", "formula2"), lists),
        **dict.fromkeys(("conditionalFormatting", "cfRule", "cfvo", "formula", "dataBar", "colorScale"), conditional),
        **dict.fromkeys(("customSheetViews", "customSheetView", "customWorkbookView"), views),
        **dict.fromkeys(("dataConsolidate", "dataRefs", "dataRef"), consolidated),
        **dict.fromkeys(("scenarios", "scenario", "inputCells"), scenarios),
        **dict.fromkeys(("autoFilter", "filterColumn", "sortState", "sortCondition"), filters),
        **dict.fromkeys(("col", "cols"), widths),
        "row": rows,
        **dict.fromkeys(("outlinePr", "sheetFormatPr@outlineLevelRow", "sheetFormatPr@outlineLevelCol"), grouping),
        "sheetFormatPr": _("the standard size of rows and columns"),
        **dict.fromkeys(("sheetViews", "sheetView", "pane"), shown),
        **dict.fromkeys(("pageSetup", "printOptions", "pageMargins", "rowBreaks", "colBreaks", "brk"), printing),
        **dict.fromkeys(("ignoredErrors", "ignoredError"), _("warnings that are switched off")),
        **dict.fromkeys(("cellWatches", "cellWatch"), _("watched cells")),
        "picture": _("the background picture"),
        "legacyDrawingHF": _("pictures in headers and footers"),
        **dict.fromkeys(("oleObjects", "oleObject"), _("embedded objects")),
        **dict.fromkeys(("controls", "control", "controlPr"), _("form controls")),
        **dict.fromkeys(("protectedRanges", "protectedRange"), _("ranges that some people may edit")),
    }
