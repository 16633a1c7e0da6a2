"""Where cases go, on the page Send: server, operation and token in plain words, and whether the CRM accepts them."""

from __future__ import annotations

from keyring.errors import KeyringError
from starlette.responses import Response
from starlette.routing import Route

from importer import Connection, Crm, ImporterError, MappingError, load_mapping
from importer.errors import SettingsError
from importer.messages import _, ngettext
from importer.questions import QuestionsOpen
from importer.settings import (
    NamedTarget,
    check_token,
    forget_token,
    hold_token,
    load_settings,
    name_target,
    named_target,
    normal_server,
    store_token,
    target,
    token_place,
    trust,
)
from importer.web.checking import CheckedSheet
from importer.web.notes import KeptNote
from importer.web.page import Visit, go_to, page, render

LONGEST = 2_000
"""Characters that a field of the form may have; no server, operation or token comes near it."""


def target_of(visit: Visit, checked: CheckedSheet | None = None) -> NamedTarget:
    """Return where the cases of a sheet go, as far as it is known; raises SettingsError for what cannot be used."""
    return named_target(visit.sheet.job.connection, _from_mapping(visit, checked))


def _from_mapping(visit: Visit, checked: CheckedSheet | None = None) -> Connection:
    """Return what the sheet's mapping names; a mapping with faults names nothing here, and other pages say so."""
    path = visit.sheet.mapping
    if checked is not None:
        mapping = checked.loaded.case_mapping
    elif path is None:
        return Connection()
    else:
        try:
            mapping = load_mapping(path)
        except MappingError:
            return Connection()
    return Connection(mapping.server, mapping.operation, file=mapping.path)


def show(visit: Visit) -> Response:
    """Show server, operation and where the token is; never the token itself."""
    note = visit.office.notes.find(visit.asked("note"))
    try:
        known = target_of(visit)
    except SettingsError as error:
        known, note = NamedTarget(None, "none", None, "none", None), note or KeptNote("bad", (str(error),))
    if note is None and known.server and known.operation and not known.token:
        note = KeptNote("warn", (_missing_token(),))
    typed = note.typed if note else {}
    return render(
        visit,
        "send_connection.html",
        sheet=visit.sheet,
        step_shown="send",
        known=known,
        note=note,
        server=typed.get("server", (known.server or "").removeprefix("https://")),
        operation=typed.get("operation", known.operation or ""),
        longest=LONGEST,
    )


def _missing_token() -> str:
    return _(
        "Only the token is missing: type it and save. A computer without a keyring keeps it until the program is"
        " closed, and asks for it again each time."
    )


def save(visit: Visit) -> Response:
    """Take server, operation and token: the first two into the settings, the token into the keyring."""
    try:
        sentence = _save(visit, visit.text("token").strip())
    except ImporterError as error:
        typed = {name: visit.text(name) for name in ("server", "operation")}  # never the token
        again = (
            (_("The token has to be typed again: it is never put back into a page."),) if visit.text("token") else ()
        )
        return _back(visit, KeptNote("bad", (str(error), *again), typed))
    return _back(visit, KeptNote("good", (sentence,)))


def _save(visit: Visit, token: str) -> str:
    known = target_of(visit)
    server = known.server if _is_fixed(known.server_by) else visit.text("server").strip()
    operation = known.operation if _is_fixed(known.operation_by) else visit.text("operation").strip()
    if not server or not operation:
        raise SettingsError(_("Both the server and the operation are needed."))
    server = normal_server(server)
    if token:
        check_token(token)
    elif token_place(load_settings(), visit.sheet.job.connection.token_env, server, operation) is None:
        raise SettingsError(_("The token is needed too: each server and operation has its own."))
    if (server, operation) == (known.server, known.operation):
        if "mapping" in {known.server_by, known.operation_by}:
            trust(server, operation)  # whoever reads and saves them has said that they are theirs
    else:
        name_target(server, operation)
    if not token:
        return _("Saved.")
    if store_token(server, operation, token):
        return _("Saved. The token is kept in this computer's keyring, under your user.")
    hold_token(server, operation, token)
    return _(
        "Saved. This computer has no keyring for the token, so it is kept in memory until the program is closed;"
        " after that you have to type it again."
    )


def _is_fixed(named_by: str) -> bool:
    """Tell whether the page cannot change what names a server or an operation."""
    return named_by in {"option", "environment"}


def try_it(visit: Visit) -> Response:
    """Ask the CRM for the quota of the token, which costs a call."""
    return _back(visit, _tried(visit))


def _tried(visit: Visit) -> KeptNote:
    try:
        with Crm(target(visit.sheet.job.connection, _from_mapping(visit))) as crm:
            left = crm.token_information().left
    except QuestionsOpen:
        return KeptNote(
            "warn", (_("First check the server and the operation, and save them: the token is sent there."),)
        )
    except ImporterError as error:
        return KeptNote("bad", (str(error),))
    if left is None:
        return KeptNote("good", (_("The CRM answers and accepts the token."),))
    sentence = ngettext(
        "The CRM answers and accepts the token; {count:,d} call is left today.",
        "The CRM answers and accepts the token; {count:,d} calls are left today.",
        left,
    )
    return KeptNote("good", (sentence,))


def forget(visit: Visit) -> Response:
    """Remove the token from the keyring, and from memory."""
    known = target_of(visit)
    sentence = _("There was no token to forget.")
    if known.server and known.operation:
        try:
            if forget_token(known.server, known.operation):
                sentence = _("The program has forgotten the token. Type it again before the next run.")
        except KeyringError:
            sentence = _("The keyring of this computer is locked or cannot be used; the token is still in it.")
    return _back(visit, KeptNote("good", (sentence,)))


def _back(visit: Visit, note: KeptNote) -> Response:
    return go_to(f"/sheets/{visit.sheet.id}/send/connection?note={visit.office.notes.keep(note)}")


ROUTES = [
    Route("/sheets/{id}/send/connection", page(show)),
    Route("/sheets/{id}/send/connection/save", page(save), methods=["POST"]),
    Route("/sheets/{id}/send/connection/try", page(try_it), methods=["POST"]),
    Route("/sheets/{id}/send/connection/forget", page(forget), methods=["POST"]),
]
