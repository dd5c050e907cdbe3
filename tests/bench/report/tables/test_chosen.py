from bench.report.claims import judge
from bench.report.read.results import collect
from bench.report.tables.chosen import MOST, few


def chosen(results):
    (collected,) = collect(results.folder)
    return few(collected, judge(collected))


def test_few_methods_stand_for_themselves(results):
    for i in range(3):
        results.add(f"m{i}", "joint", kept=0)
    assert chosen(results) == ["m0", "m1", "m2"]


def test_of_many_the_best_of_each_class_and_the_landmarks(results):
    for i in range(MOST):
        results.add(f"j{i:02}", "joint", psnr=20 + i, loss="l1", kept=0)
        results.add(f"s{i:02}", "sequential", psnr=20, lpips=0.5 - 0.01 * i, loss="gan", kept=0)
    for method, group, loss in (("dl-espirit~rrdb", "joint", "l1"), ("dl-espirit+rrdb", "sequential", "l1"),
                                ("proposed", "joint", "gan"), ("cg-sense+bicubic", "sequential", "none"),
                                ("oracle+sinc", "bound", "none")):  # fmt: skip
        results.add(method, group, psnr=10, lpips=0.9, loss=loss, kept=0)
    assert chosen(results) == [
        f"j{MOST - 1}", "dl-espirit+rrdb", "dl-espirit~rrdb", "proposed", f"s{MOST - 1}", "cg-sense+bicubic", "oracle+sinc",
    ]  # fmt: skip


def test_of_many_that_nobody_knows_the_first(results):
    for i in range(MOST + 2):
        results.add(f"m{i:02}", "single", kept=0)
    assert chosen(results) == [f"m{i:02}" for i in range(MOST)]
