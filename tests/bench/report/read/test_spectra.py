import pandas as pd
import pytest

from bench.errors import UserError
from bench.report.read.results import collect
from bench.report.read.spectra import read_radial, read_spectra


def only(results):
    (collected,) = collect(results.folder)
    return collected


def test_folds_of_a_radial_spectrum_weigh_by_their_slices(results):
    for fold, (error, slices) in enumerate(((1.0, 1), (5.0, 3))):
        folder = results.add(fold=fold, subjects=(f"s{fold}",), slices=slices)
        row = {"method": "proposed", "seed": 0, "contrast": "t1w", "bin": 0, "k": 0.02, "error_energy": error,
               "truth_energy": 9.0, "image_energy": 8.0, "slices": slices, "subjects": 1}  # fmt: skip
        pd.DataFrame([row]).to_csv(folder.radial, index=False)
    (found,) = read_radial(only(results)).to_dict("records")
    assert (found["error_energy"], found["truth_energy"], found["slices"], found["subjects"]) == (4.0, 9.0, 4, 2)


def test_damaged_spectrum_is_refused_by_name_and_field(results):
    folder = results.add()
    folder.spectrum.write_text(
        "method,seed,subject,contrast,slice,region,error_energy,truth_energy,image_energy,phase\n"
    )
    with pytest.raises(UserError, match=r"spectrum\.csv lacks the column 'coherence'"):
        read_spectra(only(results))
