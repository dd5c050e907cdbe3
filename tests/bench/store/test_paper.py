import subprocess
import sys

from bench.store import paper


def test_the_papers_tables_are_whole():
    rows = paper.read()
    assert rows.groupby("dataset").size().to_dict() == {"brain": 15, "vwi": 15}
    by = rows.set_index(["dataset", "method"])
    proposed = by.loc[("brain", "proposed"), ["psnr", "ssim", "lpips", "seconds"]].to_list()
    assert proposed == [30.32, 0.8682, 0.0409, 0.0775]
    assert by.loc[("vwi", "modl+bebygan"), ["psnr", "lpips_std"]].to_list() == [32.71, 0.0103]
    assert paper.twins() == {"proposed": "ablation-end-to-end"}
    assert rows.drop(columns=["seconds", "twin_of"]).notna().all(axis=None)


def test_the_rows_of_a_dataset_go_by_method():
    assert paper.of("brain")["psnr"]["proposed"] == 30.32
    assert len(paper.of("vwi")) == 15
    assert paper.of("mine").empty


def test_methods_of_the_paper():
    pairs = {f"{r}+{s}" for r in ("cg-sense", "modl", "dl-espirit") for s in ("bicubic", "medsrgan", "bebygan")}
    ablations = {f"ablation-{name}" for name in ("sr", "recon", "separate", "end-to-end")}
    assert set(paper.methods()) == pairs | ablations | {"t2net", "proposed"}
    assert len(paper.methods()) == 15


def test_it_is_light():
    code = "import sys, bench.store.paper; sys.exit(any(name in sys.modules for name in ('torch', 'matplotlib')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
