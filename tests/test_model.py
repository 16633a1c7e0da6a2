"""The promise in a small model: it holds in every order of events, and breaks without any one of its rules.

The model is in `tests/model/`; `python -m tests.model --update` updates the files that these tests compare.
"""

from __future__ import annotations

import pytest
from model.explore import explore, without
from model.rules import RULES, SETTINGS, Promise, Rule, Setting
from model.stories import PAGE, STORIES, everything, line_of_rule, line_of_setting, story

LATE_CRM = Setting(searches=True, crm_keeps_the_quiet_period=False)
"""A CRM that commits whenever it likes: the one assumption that no rule can replace."""


@pytest.mark.parametrize("name", SETTINGS)
def test_with_all_rules_every_promise_holds_in_every_order_of_events(name: str) -> None:
    """No reachable moment breaks a promise, and each kind of event happens in at least one of them."""
    found = explore(SETTINGS[name])
    assert found.broken is None, "\n".join(found.story)
    assert everything(name, found) in STORIES.read_text("utf-8")
    assert line_of_setting(name, found) in PAGE.read_text("utf-8").splitlines()


@pytest.mark.parametrize("rule", Rule)
def test_without_a_rule_its_promise_breaks_by_the_shortest_story(rule: Rule) -> None:
    """Each rule is needed: without it the model breaks the promise, by the story in the collection."""
    found = without(rule)
    assert found.broken is RULES[rule].breaks
    assert story(rule, found) in STORIES.read_text("utf-8")
    assert line_of_rule(rule, found) in PAGE.read_text("utf-8").splitlines()


def test_without_the_intent_a_row_whose_case_exists_is_not_even_named() -> None:
    """Removing a rule may break several promises: without the intent, the row is not named as doubtful either."""
    setting = SETTINGS[RULES[Rule.INTENT_FIRST].seen_in]._replace(off=frozenset({Rule.INTENT_FIRST}))
    assert explore(setting, (Promise.DOUBT_NAMED,)).broken is Promise.DOUBT_NAMED


def test_a_crm_that_commits_after_the_quiet_period_is_what_is_assumed_away() -> None:
    """With such a CRM, a second case results from believing an absence too early, in spite of the control."""
    found = explore(LATE_CRM, (Promise.ONE_CASE,))
    assert found.broken is Promise.ONE_CASE
    believed = next(n for n, what in enumerate(found.story) if what.startswith("The search") and "planned" in what)
    made = [n for n, what in enumerate(found.story) if what.startswith("The CRM makes case")]
    assert "Settling makes a control: case 1" in found.story[:believed]
    assert min(made) > found.story.index("Settling makes a control: case 1")  # a case from before it is always found


def test_where_no_absence_is_believed_even_a_crm_that_is_late_for_ever_makes_no_second_case() -> None:
    """Without a verified search, rows stay unknown and no promise breaks."""
    setting = SETTINGS["one row, two processes"]._replace(crm_keeps_the_quiet_period=False, believes_absence=False)
    assert explore(setting).broken is None
