import re
from pathlib import Path

from bench import registry
from bench.authoring.check import check

ROOT = Path(__file__).resolve().parents[1]


def test_the_example_in_contributing_works_and_is_as_short_as_it_says(tmp_path, monkeypatch):
    registry.discover()
    monkeypatch.setattr(registry, "_plugins", dict(registry._plugins))
    text = re.search(r"<!-- example -->\n```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)[1]
    path = tmp_path / "sharpen.py"
    path.write_text(text)
    registry.discover((path,))
    assert "losses" in check(registry.methods()["sharpen"])
    body = text[text.index("@super_resolver") :]
    assert len([line for line in body.splitlines() if line.strip()]) <= 20
