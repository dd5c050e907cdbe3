"""`bench check`: holds a plugin to its contract, says which clause it breaks and what to change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bench import registry
from bench.authoring import clauses, data_clauses
from bench.authoring.trial import Broken, Trial, fresh
from bench.errors import UserError
from bench.registry import MethodPlugin
from bench.workers import Progress, Task, carry_out

CLAUSES = {
    "build": "it is made of its Settings alone",
    "forward": "it runs on an acquisition of any size",
    "shape": "it gives the shape and type of its kind",
    "finite": "what it gives is finite",
    "empty": "an empty slice, all zeros, gives finite values too",
    "pure": "it gives the same twice and leaves its input as it was",
    "batch": "in evaluation a slice's result does not depend on the others in its batch",
    "device": "everything that it computes with lies where its input lies",
    "learns": "what has parameters is trained",
    "phases": "phases have distinct names and fractions that sum to 1",
    "losses": "losses are finite scalars by name, and their gradient reaches a parameter",
    "target": "losses depend on the target, on its real and imaginary part",
    "truth": "losses are smallest at the true image",
    "discriminator": "an adversarial phase has a discriminator: (hr, lr) -> (logits, features)",
    "optimiser": "optimiser gives a torch.optim.Optimizer of the parameters",
    "grid": "grid gives candidates that configure takes",
    "place": "what it gives lies on its input: same scale, sign, phase and place",
    "input": "what it gives depends on what was measured",
    "memory": "nothing but weights is kept between calls",
    "process": "it gives the same in a process of its own",
    "protocol": "a dataset is a Protocol whose sources exist, and its mask can be made",
    "subjects": "subjects stand in one split each, and have digests",
    "load": "a subject is a Head or a RawSubject of the declared shape, type and scale",
}


def check_id(id: str, plugin_files: tuple[Path, ...] = (), progress: Progress = lambda *_: None) -> list[str]:
    """Check what is called so, a method's half, a pipeline, a source or a dataset, or several of these; see `check`."""
    methods, sources, datasets = registry.methods(), registry.sources(), registry.datasets()
    if "~" in id:
        methods[id] = registry.method(id)
    registry.find({**methods, **sources, **datasets}, id, "reconstructor, super-resolver, pipeline, source or dataset")
    held: list[str] = []
    if id in methods:
        importable = all(plugin.module not in registry.MAIN for plugin in methods[id].authored)
        held += check(methods[id], plugin_files, importable, progress)
    if id in sources:
        held += _hold(id, data_clauses.of_source(sources[id]), progress)
    if id in datasets:
        held += _hold(id, data_clauses.of_dataset(datasets[id]), progress)
    return list(dict.fromkeys(held))


def check(
    plugin: MethodPlugin,
    plugin_files: tuple[Path, ...] = (),
    in_own_process: bool = False,
    progress: Progress = lambda *_: None,
) -> list[str]:
    """Names of the clauses that were held to, in order.

    Parameters
    ----------
    plugin_files
        What `--plugin` named, for the process of its own.
    in_own_process
        Also run it in a fresh process, as `bench run` will.
    progress
        Called with how many clauses are held, of how many, and the next one.

    Raises
    ------
    UserError
        One line: the first clause that is broken, how, and what to change.
    """
    torch.manual_seed(0)
    trial = Trial(plugin)
    held = _hold(plugin.id, clauses.of_method(trial), progress)
    if in_own_process:
        expected = fresh(plugin)
        held += _hold(plugin.id, [("process", lambda: _in_own_process(plugin.id, plugin_files, expected))])
    return list(dict.fromkeys(held))


def _hold(id: str, wanted: list[tuple[str, Callable[[], None]]], progress: Progress = lambda *_: None) -> list[str]:
    held: list[str] = []
    for clause, test in wanted:
        progress(len(held), len(wanted), clause)
        try:
            test()
        except Broken as broken:
            raise UserError(f"'{id}' breaks the clause '{clause}' ({CLAUSES[clause]}): {broken}.") from broken
        except UserError:
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
            raise UserError(f"'{id}' breaks the clause '{clause}' ({CLAUSES[clause]}): {what}.") from error
        held.append(clause)
    progress(len(wanted), len(wanted), "")
    return list(dict.fromkeys(held))


def _in_own_process(id: str, plugin_files: tuple[Path, ...], expected: list[torch.Tensor]) -> None:
    arguments = (id, plugin_files, [tensor.numpy() for tensor in expected])
    outcome = carry_out([Task(id, _compare_fresh, arguments)], 1, 1, lambda *_: None)[id]
    if outcome.status != "done":
        raise Broken(str(outcome.reason))


def _compare_fresh(id: str, plugin_files: tuple[Path, ...], expected: list[Any], progress: Progress) -> None:
    registry.discover(plugin_files)
    found = fresh(registry.method(id))
    for ours, theirs in zip(found, expected, strict=True):
        if not torch.allclose(ours, torch.from_numpy(theirs), rtol=1e-3, atol=1e-4):
            raise UserError("there it gives other values: something outside of the class changes them")
    progress(1, 1, "")
