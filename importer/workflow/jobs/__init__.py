"""Whole jobs, as the commands and the page give them: start, execute, adopt, settle, review."""
