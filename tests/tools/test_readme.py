from PIL import Image

TEXT = "# Title\n\n<!-- results -->\nstale\n<!-- /results -->\nthe end\n"


def test_results_and_pictures_are_written(results, tool, tmp_path):
    results.add("proposed", "joint", psnr=33.0)
    results.add("modl+sinc", "sequential", psnr=30.0)
    results.add("proposed", dataset="vfa", kept=0, contrasts=("fa05",), subjects=("p",), label="real raw data")
    results.fail("proposed", dataset="brain")
    readme = tmp_path / "README.md"
    readme.write_text(TEXT)
    tool("readme").write(results.folder, tmp_path / "reports", readme)
    text = readme.read_text()
    assert text.startswith("# Title\n\n<!-- results -->\n")
    assert text.endswith("<!-- /results -->\nthe end\n")
    assert "stale" not in text
    assert "| `proposed` | joint | none | **31.15 ± 0.11** |" in text
    assert (
        "vwi, profile laptop: simulated acquisition; 12 slices of 3 test subjects, 1 training seed. Mean over people ± "
        "standard deviation over slices; best in bold; bounds are not ranked.\n"
    ) in text
    assert "### `vfa`: real raw data\n" in text
    assert "`bench report --results results` makes the page" in text
    assert text.count("](reports/") == text.count("](reports/vwi.png)") == 1
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["vwi.png"]
    with Image.open(tmp_path / "reports/vwi.png") as picture:
        assert picture.width > 300


def test_methods_with_every_fold_have_a_table_of_their_own(results, tool, tmp_path):
    for fold, subjects in enumerate((("a", "b"), ("c", "d"))):
        results.add("proposed", "joint", fold=fold, subjects=subjects)
    results.add("modl+sinc", "sequential", subjects=("a", "b"))
    readme = tmp_path / "README.md"
    readme.write_text(TEXT)
    tool("readme").write(results.folder, tmp_path / "reports", readme)
    first, second = readme.read_text().split("best in bold; bounds are not ranked.")[1:]
    assert ("`proposed`" in first, "`modl+sinc`" in first) == (True, False)
    assert ("`proposed`" in second, "`modl+sinc`" in second) == (True, True)
    assert "of 4 test subjects" in readme.read_text()


def test_a_second_run_changes_nothing(results, tool, tmp_path):
    results.add()
    readme = tmp_path / "README.md"
    readme.write_text(TEXT)
    written = []
    for _ in range(2):
        tool("readme").write(results.folder, tmp_path / "reports", readme)
        written.append((readme.read_bytes(), (tmp_path / "reports/vwi.png").read_bytes()))
    assert written[0] == written[1]
