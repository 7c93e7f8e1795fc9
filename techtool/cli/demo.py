"""``techtool demo``: the whole job against simulated terminals, on a throwaway home and stick."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from techtool.cli.demo_world import DemoWorld
from techtool.cli.events import printer
from techtool.cli.output import say
from techtool.cli.runner import run_async
from techtool.errors import Exit, InternalError, UsageError
from techtool.events import Event, Finished, LaneIdentified
from techtool.i18n import LANGUAGES, N_, _, language, set_language
from techtool.paths import DISK


@click.command(help=N_("The whole job against simulated terminals, on a throwaway home and stick."))
@click.option("--headless", is_flag=True, help=N_("without screens, answering by itself"))
@click.option("--lang", type=click.Choice(LANGUAGES), help=N_("language (default: the chosen one)"))
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help=N_("keep home, stick, answers.json, reports and allowed_signers in this new folder"),
)
def command(headless: bool, lang: str | None, keep: Path | None) -> int:
    """Make a world, run a visit in it."""
    set_language(lang or language())
    with _folder(keep) as folder:
        world = DemoWorld.make(folder, language())
        with world.terminals() as terminals:
            if not headless:
                from techtool.cli.screens import run_screens

                return run_screens(world.paths, world.hints(terminals))
            code = run_async(_headless(world, terminals.addresses))
        if keep is not None:
            world.collect_reports()
            say(_("Kept in {folder}").format(folder=folder))
        return code


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="techtool-demo-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
        return
    if keep.is_dir() and any(keep.iterdir()):
        raise UsageError(problem=_("The folder {folder} is not empty.").format(folder=keep))
    DISK.make_folder(keep)
    yield keep.absolute()


async def _headless(world: DemoWorld, addresses: tuple[str, ...]) -> int:
    engine, operator, request = world.visit(addresses)
    last: Event | None = None
    show = printer(as_json=False)
    async for event in engine.run(request):
        if isinstance(event, LaneIdentified):
            operator.serials.add(event.serial)
            operator.confirmations = (*operator.confirmations, event.serial[-4:])
        show(event)
        last = event
    if not isinstance(last, Finished):
        raise InternalError(kind="no end")
    for path in sorted((world.paths.reports / last.visit).glob("*")):
        say(f"  {path.name}")
    return last.exit_code if last.exit_code else int(Exit.DONE)
