import pandas as pd
import pytest

from bench.errors import UserError
from bench.metrics.scores import DETAILS, SCORES
from bench.store.tables import read_rows, write_rows


def rows(n=2, **changes):
    identity = {"dataset": "vwi", "source": "phantom", "profile": "smoke", "method": "m", "seed": 0, "fold": 0}
    scores = dict.fromkeys((*SCORES, *DETAILS), 0.5)
    return pd.DataFrame(
        [{**identity, "subject": "a", "contrast": "t1w", "slice": i, **scores, **changes} for i in range(n)]
    )


def test_rows_come_back(tmp_path):
    write_rows(tmp_path / "slices.csv", rows(3))
    pd.testing.assert_frame_equal(read_rows(tmp_path / "slices.csv"), rows(3), check_dtype=False)


def test_a_slice_twice_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not unique"):
        write_rows(tmp_path / "slices.csv", pd.concat([rows(1), rows(1)]))


@pytest.mark.parametrize(
    ("damage", "field"),
    [
        (lambda text: text.replace("psnr,", "snr,", 1), "'psnr'"),
        (lambda text: text.replace("0.5", "half", 1), "'psnr'"),
        (lambda text: "", "slices.csv"),
    ],
)
def test_a_damaged_file_is_refused_by_name_and_field(tmp_path, damage, field):
    path = tmp_path / "slices.csv"
    write_rows(path, rows())
    path.write_text(damage(path.read_text()))
    with pytest.raises(UserError, match=field) as error:
        read_rows(path)
    assert "slices.csv" in str(error.value)


@pytest.mark.parametrize("subject", ["007", "NA", "sub-01/ses-2", "a,b", '"quoted"', "[red]x", "1e5"])
def test_whatever_a_subject_is_called_comes_back_unchanged(tmp_path, subject):
    write_rows(tmp_path / "slices.csv", rows(1, subject=subject, contrast=subject))
    back = read_rows(tmp_path / "slices.csv")
    assert back["subject"].to_list() == back["contrast"].to_list() == [subject]
