import re
from urllib.parse import unquote

import pandas as pd

from bench.report import make_report


def test_index_links_to_what_is_there(report):
    text = report["index.md"].read_text()
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) == (4 + 4) + (5 + 2) + 2 + 7 + 6 + 5
    assert all((report["index.md"].parent / unquote(link)).is_file() for link in links)


def test_names_with_signs_stay_as_they_are(results, tmp_path):
    names = {
        "subjects": ("sub-01/ses [b] |",),
        "contrasts": ("t1/w [x", "t1 (w)|"),
        "dataset": "my data",
        "profile": "a/b",
    }
    results.add("proposed", loss="gan", **names)
    results.add("ablation-end-to-end", loss="gan", **names)
    *_, index, page = make_report(results.folder, tmp_path)
    text = index.read_text()
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) == 2 + 7 + 8 + 3
    assert all((tmp_path / unquote(link)).is_file() for link in links)
    assert r"error maps, t1/w \[x: my data, profile a/b](my%20data/a%252Fb/grid-t1%252Fw%20%255Bx.png)" in text
    assert "t1/w [x: the slice of median zero-filled error" in text
    assert "t1/w [x, sub-01/ses [b] |, slice 1" not in text  # the index names no subject; the page does
    assert '"contrast":"t1/w [x","name":"sub-01/ses [b] |, slice 1"' in page.read_text()
    table = (tmp_path / "my data/a%2Fb/differences.md").read_text()
    assert r"| proposed | t1 (w)\| | gan | (1) | LPIPS fg |" in table
    frame = pd.read_csv(tmp_path / "my data/a%2Fb/main.csv")
    assert set(frame["contrast"]) == {"all", "t1/w [x", "t1 (w)|"}
    assert set(frame["dataset"] + frame["profile"]) == {"my dataa/b"}
