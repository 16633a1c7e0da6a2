"""Attachments: names from cells, found and checked under one folder, streamed as base64.

`names` refuses what no file may be called, without touching the file system; `folder` finds and checks the rest;
`encoding` turns a checked file into base64 while it is sent. Both open it by `importer.files.open_below`.
"""

from importer.attachments.encoding import encode, encoded_length
from importer.attachments.folder import AttachmentFolder, Found

__all__ = ["AttachmentFolder", "Found", "encode", "encoded_length"]
