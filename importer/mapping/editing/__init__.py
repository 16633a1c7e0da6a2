"""Edit a mapping file: single keys change, and comments, order, quotes and all other lines stay as they are."""

from importer.mapping.editing.editor import MappingEditor

__all__ = ["MappingEditor"]
