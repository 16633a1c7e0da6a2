"""A small model of the promise: every order of events that a few rows, processes and mishaps can take.

Read `rules.py` first (what the program does, and what happens without each rule), then `state.py` (what exists),
`process.py`, `journal.py` and `surroundings.py` (what can happen next), and `invariants.py` (what must never happen).
`python -m tests.model` explores them all; `python -m tests.model RULE` prints the story of what happens without a rule.
"""
