"""The commands: parse, call, print."""

import io
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from bench.errors import UserError

INTERRUPTED = 130
app = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Does joint MRI reconstruction and super-resolution beat doing them in sequence?",
)


def _at_home(given: Any) -> Any:
    """A path, or several, with `~` as a shell would have it: it leaves `--results=~/runs` alone."""
    from bench.store.layout import at_home

    if isinstance(given, list | tuple):
        return [at_home(path) for path in given]
    return at_home(given) if given else given


PluginFiles = Annotated[
    list[Path] | None,
    typer.Option("--plugin", help="A file or package folder with plugins of your own.", callback=_at_home),
]
Paths = Annotated[list[Path], typer.Argument(help="Files or folders.", callback=_at_home)]
People = Annotated[
    Path | None,
    typer.Option(
        "--people", help="CSV of who is who: columns file, person, and contrast, split if wanted.", callback=_at_home
    ),
]
ProfileName = Annotated[str, typer.Option(help="smoke, laptop, workstation, paper, or a TOML file of your own.")]
Results = Annotated[Path, typer.Option(help="Folder that runs write to.", callback=_at_home)]
data = typer.Typer(
    rich_markup_mode=None, help="Your own data: look at it, bring it in under a name, list it, remove it."
)
app.add_typer(data, name="data")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"bench {version('joint-mri-bench')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Options of no command."""


@app.command()
def run(
    dataset: Annotated[str, typer.Option(help="One, or several with commas: vwi,brain,vfa.")] = "vwi",
    methods: Annotated[
        str, typer.Option(help="Ids, globs or groups (all, paper, joint, sequential, ablation).")
    ] = "all",
    profile: ProfileName = "laptop",
    source: Annotated[str | None, typer.Option(help="Where subjects come from; default: the dataset's first.")] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds.")] = 1,
    folds: Annotated[
        str, typer.Option(help="Rotations of the subjects through the splits: 0,1,2 or all; 0 is the reference split.")
    ] = "0",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ... or auto.")] = "auto",
    devices: Annotated[int, typer.Option(help="Processes that train one stage together, one a GPU.")] = 1,
    jobs: Annotated[int, typer.Option(help="One-thread workers.")] = 2,
    results: Results = Path("runs"),
    weights: Annotated[
        Path | None,
        typer.Option(help="Results whose trained stages are used; default: the shipped ones.", callback=_at_home),
    ] = None,
    stages_of: Annotated[
        str | None, typer.Option(help="Score with the stages of another dataset, e.g. vwi, whose people are others.")
    ] = None,
    plugin: PluginFiles = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a setting: training.iterations=100, methods.modl.unrolls=5."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="At most so many test slices of each person; of regimes, positions.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    rerun: Annotated[bool, typer.Option("--rerun", help="Compute rows again.")] = False,
    retrain: Annotated[bool, typer.Option("--retrain", help="Train stages again.")] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address or file of a Dask scheduler, whose workers see the same folders; default: this machine."
        ),
    ] = None,
    no_timing: Annotated[bool, typer.Option("--no-timing", help="Do not time the methods.")] = False,
    compare: Annotated[
        Path | None, typer.Option(help="Results to print beside these, e.g. results.", callback=_at_home)
    ] = None,
) -> None:
    """Train what is missing, evaluate, time; rows go to RESULTS."""
    from bench import terminal
    from bench.run.request import Request, parse_folds

    request = Request(
        tuple(name.strip() for name in dataset.split(",")), methods, profile, source, seeds, parse_folds(folds),
        terminal.choose_device(device), devices, jobs, results, weights, stages_of, tuple(plugin or ()), tuple(set_ or ()),
        limit, rerun, retrain, not no_timing, scheduler,
    )  # fmt: skip
    raise typer.Exit(terminal.run(request, dry_run, compare))


@app.command()
def report(
    results: Results = Path("runs"),
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; default: RESULTS/report.", callback=_at_home)
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Figures as PDF too.")] = False,
) -> None:
    """Make tables, figures and a verdict of what runs wrote."""
    from bench import terminal

    terminal.report(results, out, pdf)


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help="methods, datasets, sources or profiles.")],
    profile: ProfileName = "laptop",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    plugin: PluginFiles = None,
) -> None:
    """List what there is."""
    from bench import registry, terminal
    from bench.authoring import catalogue

    registry.discover(tuple(plugin or ()))
    rows = catalogue.rows(what, profile)
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    else:
        terminal.show_catalogue(what, rows)


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="heads, vfa, lpips, vgg19, one file, or all.")] = None,
) -> None:
    """Download data and weights into the cache."""
    from bench import terminal

    terminal.fetch(names or [])


@app.command()
def new(
    id: Annotated[str, typer.Argument(help="Id, which becomes the file's name.")],
    kind: Annotated[str, typer.Option(help="reconstructor, super_resolver, pipeline, source or dataset.")] = "pipeline",
) -> None:
    """Write ./ID.py, a method, source or dataset that works as it is."""
    from bench.authoring.new import write

    path = write(id, kind, Path())
    typer.echo(f"wrote {path}; now: bench check {id} --plugin {path}")


@app.command()
def check(
    id: Annotated[str, typer.Argument(help="Id of a method, source or dataset.")],
    plugin: PluginFiles = None,
) -> None:
    """Hold a plugin to its contract; say which clause it breaks and what to change."""
    from bench import progress, registry
    from bench.authoring.check import check_id

    registry.discover(tuple(plugin or ()))
    with progress.shown() as bars:
        held = check_id(
            id, tuple(plugin or ()), lambda done, total, clause: bars.work(f"checking {id}", done, total, clause)
        )
    typer.echo(f"'{id}' holds to the contract: {', '.join(held)}")


@data.command("check")
def data_check(
    paths: Paths,
    people: People = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at raw k-space and volumes: what they are, and whether they are fit to be a truth."""
    from bench import terminal

    terminal.check_data(paths, people, as_json)


@data.command("import")
def data_import(
    paths: Paths,
    name: Annotated[str, typer.Option(help="What the dataset is to be called.")],
    people: People = None,
    like: Annotated[
        str | None, typer.Option(help="Dataset whose protocol is taken; default: vwi's rule on the data's own matrix.")
    ] = None,
    shares: Annotated[
        str | None, typer.Option(help="Of people in train,validation,test, e.g. 7,1,2; 0,0,1 tests all.")
    ] = None,
    train: Annotated[str | None, typer.Option(help="People, with commas.")] = None,
    validation: Annotated[str | None, typer.Option(help="People, with commas.")] = None,
    test: Annotated[str | None, typer.Option(help="People, with commas.")] = None,
) -> None:
    """Bring data in: `bench run --dataset NAME` then trains and scores on it."""
    from bench import registry, terminal
    from bench.data.people import parse_splitting

    registry.discover()
    splitting = parse_splitting(shares, {"train": train, "validation": validation, "test": test})
    terminal.import_data(paths, name, people, splitting, like)


@data.command("list")
def data_list() -> None:
    """List what was brought in."""
    from bench import terminal

    terminal.list_data()


@data.command("remove")
def data_remove(
    name: Annotated[str, typer.Argument(help="Name of a dataset that was brought in.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete what was brought in under a name; your own files and all results stay."""
    from bench.data.importing import find, remove

    folder = find(name).path
    if not yes and not sys.stdin.isatty():
        raise UserError(f"`bench data remove {name}` asks first, and nobody is there to answer: add --yes.")
    if yes or typer.confirm(f"Delete {folder}?"):
        typer.echo(f"removed {remove(name)}")


@app.command()
def export(
    dataset: Annotated[str, typer.Option(help="Which one.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.", callback=_at_home)],
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    source: Annotated[str | None, typer.Option(help="Where subjects come from; default: the dataset's first.")] = None,
    profile: ProfileName = "laptop",
    with_truth: Annotated[bool, typer.Option("--with-truth", help="Write the truth too, as `truth`.")] = False,
    plugin: PluginFiles = None,
) -> None:
    """Write acquisitions, a .h5 a person and contrast, for who reconstructs them elsewhere."""
    from bench import registry, terminal
    from bench.run.exchange import Wanted

    registry.discover(tuple(plugin or ()))
    terminal.export(Wanted(dataset, source, profile, tuple(plugin or ())), split, out, with_truth)


@app.command()
def score(
    name: Annotated[str, typer.Argument(help="What the row is to be called.")],
    folder: Annotated[
        Path, typer.Argument(help="Images of exported acquisitions: files of the same names.", callback=_at_home)
    ],
    dataset: Annotated[str, typer.Option(help="Which one.")],
    source: Annotated[str | None, typer.Option(help="Where subjects come from; default: the dataset's first.")] = None,
    profile: ProfileName = "laptop",
    results: Results = Path("runs"),
    group: Annotated[str, typer.Option(help="joint, sequential, single or bound.")] = "sequential",
    loss: Annotated[str, typer.Option(help="l1, gan or none.")] = "none",
    training: Annotated[str | None, typer.Option(help="How it was trained, in words.")] = None,
    plugin: PluginFiles = None,
) -> None:
    """Score images made elsewhere; they become a row of the table."""
    from bench import registry, terminal
    from bench.run.exchange import Row, Wanted

    registry.discover(tuple(plugin or ()))
    wanted = Wanted(dataset, source, profile, tuple(plugin or ()))
    terminal.score(Row(name, group, loss, training), folder, wanted, results)


@app.command()
def speed(
    only: Annotated[str | None, typer.Option(help="Parts, with commas: cg-sense,espirit,...; default: all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder with a table a kind of machine; it is written there too.", callback=_at_home),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="At most so many threads; default: the cores there are.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
) -> None:
    """Time parts of this package against sigpy, BART, mrpro, others that are installed, and plain versions of them."""
    from bench import terminal

    terminal.speed(only, as_json, out, threads, terminal.choose_device(device))


def main(arguments: list[str] | None = None) -> Any:
    """Run a command. A user's mistake is one line on stderr and exit code 2; an interruption is 130."""
    for stream in (sys.stdout, sys.stderr):  # what a terminal's or log's encoding lacks is replaced
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = app((sys.argv[1:] if arguments is None else arguments) or ["--help"], standalone_mode=False)
        if code == INTERRUPTED:  # what becomes of an interruption inside a command
            raise KeyboardInterrupt
    except (UserError, TyperException) as error:
        message = error.format_message() if isinstance(error, TyperException) else str(error)
        print(f"bench: {' '.join(message.split())}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        print(
            "bench: interrupted; the same command continues where it stopped (after --retrain: without that; "
            "--rerun begins again).",
            file=sys.stderr,
        )
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
