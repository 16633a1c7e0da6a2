"""Imports spreadsheet rows as cases into the wolkvox CRM, at most one case per row."""
