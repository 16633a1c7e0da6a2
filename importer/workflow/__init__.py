"""The steps that need more than one stage: plan a source, match its rows, guard, send, settle, report the outcome."""
