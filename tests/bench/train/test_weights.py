import pytest
import torch
from safetensors.torch import save_file

from bench.errors import UserError
from bench.train.weights import load_foreign_weights, load_weights, save_weights


def test_weights_are_rounded_and_altered_ones_refused(tmp_path):
    module = torch.nn.Linear(3, 2)
    sha256 = save_weights(tmp_path / "weights.safetensors", module.state_dict())
    other = torch.nn.Linear(3, 2)
    load_weights(other, tmp_path / "weights.safetensors", sha256)
    assert torch.equal(other.weight, module.weight.half().float())
    with pytest.raises(UserError, match="--retrain"):
        load_weights(other, tmp_path / "weights.safetensors", "0" * 64)


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pt"])
def test_weights_made_elsewhere_are_read_in_both_formats(tmp_path, name):
    module, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    path = tmp_path / name
    save_file(module.state_dict(), path) if path.suffix == ".safetensors" else torch.save(module.state_dict(), path)
    load_foreign_weights(other, path)
    assert torch.equal(other.weight, module.weight)


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", None])
def test_foreign_weights_that_cannot_be_used_are_one_line(tmp_path, content):
    for name in ("weights.safetensors", "weights.pt"):
        path = tmp_path / name
        if content is None:
            wrong = torch.nn.Linear(4, 2).state_dict()
            save_file(wrong, path) if name.endswith("safetensors") else torch.save(wrong, path)
        else:
            path.write_bytes(content)
        with pytest.raises(UserError, match=r"weights\.(pt|safetensors) do not fit Linear") as error:
            load_foreign_weights(torch.nn.Linear(3, 2), path)
        assert "\n" not in str(error.value)


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    class Malicious:
        def __reduce__(self):
            return (type(tmp_path).touch, (tmp_path / "touched",))

    path = tmp_path / "weights.pt"
    torch.save(Malicious(), path)
    with pytest.raises(UserError, match="do not fit"):
        load_foreign_weights(torch.nn.Linear(3, 2), path)
    assert not (tmp_path / "touched").exists()
