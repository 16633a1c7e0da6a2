"""The office's page: choose a sheet, match its columns, correct, send, decide and look back, in the browser.

It is a face: what it does, the commands do, with the same journal, settings, mappings and reports.
"""

from importer.web.server import IDLE, RunningPage, listen, serve

__all__ = ["IDLE", "RunningPage", "listen", "serve"]
