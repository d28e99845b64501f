"""A small run of the bench: its numbers come from the real writer and the real compaction, and its limits hold."""

import re
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench" / "compaction.py"


def run(commits: int, *more: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(BENCH), "--commits", str(commits), "--rows", "30", *more]
    return subprocess.run(words, capture_output=True, text=True)


def test_a_small_day_is_kept_in_few_files() -> None:
    done = run(72)

    assert done.returncode == 0, done.stderr
    found = dict(re.findall(r"^\| (.+) \| (.+) \|$", done.stdout, re.MULTILINE))
    assert int(found["versions of `events`"]) > 72
    before, after = (int(n) for n in found["files that compaction read and what it made of them"].split(" -> "))
    assert before > 72 > after > 0


def test_a_limit_that_is_broken_is_told() -> None:
    assert [run(8, *more).returncode for more in ((), ("--max-files", "1"))] == [0, 1]
