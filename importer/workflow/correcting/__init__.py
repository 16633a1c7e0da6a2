"""Correcting cells, and bringing corrections from one copy of a sheet to another."""
