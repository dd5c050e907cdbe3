from bench.report.read.cells import cells

CELLS = ("r12-c4-n01", "r4-c8-n07", "r4-c4-n07", "r4-c4-n01")


def test_cells_are_in_the_order_of_coils_acceleration_and_noise():
    found = cells([*CELLS, "t1w"])
    assert [cell.contrast for cell in found] == ["r4-c4-n01", "r4-c4-n07", "r12-c4-n01", "r4-c8-n07"]
    assert str(found[2]) == "12×, 4 coils, noise .01"
