"""The commands: parse, call, print."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from bench.errors import UserError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Does joint MRI reconstruction and super-resolution beat doing them in sequence?",
)
PluginFiles = Annotated[list[Path] | None, typer.Option("--plugin", help="A file with methods of your own.")]
ProfileName = Annotated[str, typer.Option(help="smoke, laptop, workstation or paper.")]
Results = Annotated[Path, typer.Option(help="Folder that runs write to.")]


@app.command()
def run(
    dataset: Annotated[str, typer.Option(help="One, or several with commas: vwi,brain,vfa.")] = "vwi",
    methods: Annotated[
        str, typer.Option(help="Ids, globs or groups (all, paper, joint, sequential, ablation).")
    ] = "all",
    profile: ProfileName = "laptop",
    source: Annotated[str | None, typer.Option(help="Where subjects come from; default: the dataset's first.")] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds.")] = 1,
    fold: Annotated[int, typer.Option(help="Rotate the subjects through the splits; 0: the reference split.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ... or auto.")] = "auto",
    devices: Annotated[int, typer.Option(help="Processes that train one stage together, one a GPU.")] = 1,
    jobs: Annotated[int, typer.Option(help="One-thread workers.")] = 2,
    results: Results = Path("runs"),
    plugin: PluginFiles = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override a setting: training.iterations=100.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many test slices.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    rerun: Annotated[bool, typer.Option("--rerun", help="Compute rows again.")] = False,
    retrain: Annotated[bool, typer.Option("--retrain", help="Train stages again.")] = False,
    compare: Annotated[Path | None, typer.Option(help="Results to print beside these, e.g. results.")] = None,
) -> None:
    """Train what is missing, evaluate, time; rows go to RESULTS."""
    from bench import terminal
    from bench.run.execute import Request

    request = Request(
        tuple(name.strip() for name in dataset.split(",")), methods, profile, source, seeds, fold,
        terminal.choose_device(device), devices, jobs, results, tuple(plugin or ()), tuple(set_ or ()), limit, rerun,
        retrain,
    )  # fmt: skip
    raise typer.Exit(terminal.run(request, dry_run, compare))


@app.command()
def report(
    results: Results = Path("runs"),
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports"),
    pdf: Annotated[bool, typer.Option("--pdf", help="Figures as PDF too.")] = False,
) -> None:
    """Make tables, figures and a verdict of what runs wrote."""
    from bench import terminal
    from bench.report import make_report

    terminal.written(make_report(results, out, pdf))


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help="methods, datasets or profiles.")],
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
    names: Annotated[list[str] | None, typer.Argument(help="heads, vfa, lpips, vgg19 or one file.")] = None,
) -> None:
    """Download data and weights into the cache."""
    from bench import terminal

    terminal.fetch(names or [])


@app.command()
def new(
    id: Annotated[str, typer.Argument(help="Id of the method, which becomes its file's name.")],
    kind: Annotated[str, typer.Option(help="reconstructor, super_resolver or pipeline.")] = "pipeline",
) -> None:
    """Write ./ID.py, a method that works as it is."""
    from bench.authoring.new import BODIES, render
    from bench.errors import closest
    from bench.registry import ID
    from bench.store.files import atomic_write

    if kind not in BODIES:
        raise UserError(f"Unknown kind '{kind}'.{closest(kind, BODIES)}")
    if not ID.fullmatch(id):
        raise UserError(f"The id '{id}' is not made of a-z, 0-9 and single hyphens.")
    path = Path(f"{id}.py")
    if path.exists():
        raise UserError(f"{path} exists already: choose another id, or delete it.")
    atomic_write(path, render(id, kind))
    typer.echo(f"wrote {path}; now: bench check {id} --plugin {path}")


@app.command()
def check(
    id: Annotated[str, typer.Argument(help="Id of the method.")],
    plugin: PluginFiles = None,
) -> None:
    """Hold a method to the contract; say which clause it breaks."""
    from bench import registry
    from bench.authoring.check import check as check_plugin

    registry.discover(tuple(plugin or ()))
    held = check_plugin(registry.find(registry.methods(), id, "reconstructor, super-resolver or pipeline"))
    typer.echo(f"'{id}' holds to the contract: {', '.join(held)}")


@app.command()
def speed(threads: Annotated[int, typer.Option(help="Threads to pin.")] = 1) -> None:
    """Time the physics against sigpy and a plain version."""
    from bench import terminal

    terminal.speed(threads)


def main(arguments: list[str] | None = None) -> Any:
    """Run a command. A user's mistake is one line on stderr and exit code 2; an interruption is 130."""
    try:
        code = app(arguments, standalone_mode=False)
    except (UserError, TyperException) as error:
        message = error.format_message() if isinstance(error, TyperException) else str(error)
        print(f"bench: {' '.join(message.split())}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        print("bench: interrupted; the same command goes on where it stopped.", file=sys.stderr)
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
