import json
import math
import time

import numpy as np
import pytest

from bench.errors import UserError
from bench.speed.compare import NO_PEER, Contender, Missing, Part, chosen, compare, no_difference, relative
from bench.speed.whole import typed


def resting(name, seconds, answer=1.0):
    def run():
        time.sleep(seconds)
        return np.array([answer])

    return Contender(name, run)


def part(*peers, difference=relative):
    return Part("rest", "doing nothing", resting("ours", 0.01), peers, difference, 1e-3)


def test_the_ratio_is_theirs_over_ours():
    (row,) = compare(part(resting("slow", 0.04)), "cpu", 5)
    assert (row.part, row.peer, row.note) == ("rest", "slow", "")
    assert row.ratio == pytest.approx(4, rel=0.3)
    assert row.lowest <= row.ratio <= row.highest
    assert row.difference == 0


def test_another_answer_gets_no_ratio():
    (row,) = compare(part(resting("wrong", 0.001, 1.1)), "cpu", 5)
    assert math.isnan(row.ratio)
    assert "differs by 0.1" in row.note


def test_a_peer_that_is_missing_or_fails_is_a_row_that_says_so():
    def broken():
        raise RuntimeError("out of coils")

    missing, failed = compare(
        part(Missing("bart", "not installed: apt install bart"), Contender("sigpy", broken)), "cpu", 5
    )
    assert math.isnan(missing.ratio)
    assert "apt install" in missing.note
    assert "out of coils" in failed.note
    assert json.loads(json.dumps(missing.to_dict()))["ratio"] is None


def test_ours_that_fails_is_a_row_that_says_so():
    def broken():
        raise RuntimeError("out of coils")

    rows = compare(Part("rest", "nothing", Contender("ours", broken), (resting("slow", 0),), relative, 1e-3), "cpu", 5)
    assert [(row.part, row.peer) for row in rows] == [("rest", "slow")]
    assert math.isnan(rows[0].ratio)
    assert math.isnan(rows[0].ours_s)
    assert "ours failed: RuntimeError: out of coils" in rows[0].note


def test_what_nobody_else_does_is_timed_alone():
    (row,) = compare(part(difference=no_difference), "cpu", 5)
    assert row.peer == NO_PEER
    assert row.ours_s > 0.009
    assert math.isnan(row.ratio)


def test_parts_are_chosen_by_name():
    assert chosen("c, a", ["a", "b", "c"]) == ["a", "c"]
    with pytest.raises(UserError, match="'d': there are a, b"):
        chosen("d", ["a", "b"])


def test_a_command_that_fails_says_why():
    with pytest.raises(RuntimeError, match="Unknown dataset 'nowhere'"):
        typed("run", "--dataset", "nowhere", "--methods", "all")
