"""The build server skips no test: `--no-skips` (no_skips.py)."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

REASON = "soffice is not installed"
CASES = {
    "by_a_mark": f"@pytest.mark.skipif(True, reason={REASON!r})\ndef test_it(): pass\n",
    "inside": f"def test_it(): pytest.skip({REASON!r})\n",
    "as_a_module": f"pytest.skip({REASON!r}, allow_module_level=True)\n",
}


@pytest.mark.parametrize("test", CASES.values(), ids=CASES)
def test_a_skipped_test_fails_where_no_skip_is_allowed(pytester: pytest.Pytester, test: str) -> None:
    """Without the option the summary names the skipped test and its reason; with it the run fails for that reason."""
    pytester.makepyfile(test_skipped=f"import pytest\n\n{test}", test_other="def test_other(): pass\n")
    allowed = pytester.runpytest_inprocess("-ra", "-p", "no_skips")
    allowed.assert_outcomes(passed=1, skipped=1)
    allowed.stdout.fnmatch_lines([f"SKIPPED [[]1[]] test_skipped.py:*{REASON}"])
    refused = pytester.runpytest_inprocess("-p", "no_skips", "--no-skips")
    refused.stdout.fnmatch_lines([f"*{REASON}", "--no-skips: this test must run here."])
    assert refused.ret != pytest.ExitCode.OK
    assert refused.parseoutcomes().get("skipped") is None
