"""Contacts: asked for, created before the cases that name them, settled where it is unknown whether they exist."""
