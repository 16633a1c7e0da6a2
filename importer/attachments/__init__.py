"""Attachments: names from cells, found and checked under one folder, streamed as base64.

`names` refuses what no file may be called, without touching the file system; `folder` finds and checks the rest;
`encoding` turns a checked file into base64 while it is sent, `reading` gives it the file's blocks, and `keeping` saves
it the work for a file that many rows attach.
"""

from importer.attachments.encoding import encode, encoded_length
from importer.attachments.folder import AttachmentFolder, Found
from importer.attachments.keeping import KeptFiles

__all__ = ["AttachmentFolder", "Found", "KeptFiles", "encode", "encoded_length"]
