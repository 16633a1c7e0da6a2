"""A small model of the promise: every order of events that a few rows, processes and mishaps can take.

Read `rules.py` first (what the program does, and what happens where it does not), then `state.py` (what there is),
`process.py`, `journal.py` and `surroundings.py` (what can happen next), `invariants.py` (what must never be).
`python -m tests.model` explores them all; `python -m tests.model RULE` tells what happens without a rule.
"""
