"""Attachments: find the files that cells name, check them before anything is sent, and stream them as base64.

AttachmentFolder  where the files are: a folder, or a zip file
MadeFiles         files that are made for a plan, such as transcripts: `text_of` and `page_of` are their content
encode            the base64 of a file, read block by block while it is sent, never held whole in memory
"""

from importer.attachments.encoding import encode, encoded_length
from importer.attachments.finding import AttachmentFolder, FoundAttachments
from importer.attachments.made import MadeFiles, TooLarge, page_of, text_of
from importer.attachments.refusals import MISSING

__all__ = [
    "MISSING",
    "AttachmentFolder",
    "FoundAttachments",
    "MadeFiles",
    "TooLarge",
    "encode",
    "encoded_length",
    "page_of",
    "text_of",
]
