"""The entry point: finds the command, turns every failure into one clear message and a fixed exit code."""

from __future__ import annotations

import importlib
import os
import re
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Final

import click

import techtool
from techtool.cli.click_texts import speak
from techtool.cli.output import say, show_error
from techtool.errors import Exit, InternalError, Interrupted, TechtoolError, UsageError
from techtool.i18n import LANGUAGES, N_, _, set_language, system_language, translate

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("techtool.cli.demo", N_("the whole job against simulated terminals, nothing else needed")),
    "simulate": ("techtool.cli.simulate", N_("run simulated terminals until ^C, one address per line")),
    "find": ("techtool.cli.find", N_("terminals that can be seen from here")),
    "pair": ("techtool.cli.pair", N_("pair this laptop with an Android terminal over the network")),
    "identify": ("techtool.cli.identify", N_("which terminal is at an address, and what it runs")),
    "plan": ("techtool.cli.plan", N_("what a stick would do to a terminal, with every rule and its reason")),
    "order": ("techtool.cli.order", N_("what the office's work orders say")),
    "visit": ("techtool.cli.visit", N_("run, resume, list, show, abandon or verify visits")),
    "report": ("techtool.cli.report", N_("write a visit's report again")),
    "bundle": ("techtool.cli.bundle", N_("find, inspect and verify sticks; make and sign them")),
    "trust": ("techtool.cli.trust", N_("the roots this laptop trusts")),
    "backup": ("techtool.cli.backup", N_("the backups on this laptop")),
    "history": ("techtool.cli.history", N_("what was found and done: per terminal, site, release; a search")),
    "due": ("techtool.cli.due", N_("which terminals are due, overdue ones first")),
    "facts": ("techtool.cli.facts", N_("what is known of makers, and what the office adds to it")),
    "estimate": ("techtool.cli.estimate", N_("how good the foretold times were")),
    "recording": ("techtool.cli.recording", N_("check a terminal's recording, or make a model's rule of it")),
    "support": ("techtool.cli.support", N_("one redacted file of a visit for the support desk, and whom to call")),
    "sync": ("techtool.cli.sync", N_("sealed visits home to the office, over a network or on a stick")),
    "enrol": ("techtool.cli.enrol", N_("trust, recipients and settings from one signed file of the office")),
    "office": ("techtool.cli.office", N_("the office's side: read sticks, make enrolment files")),
    "setup": ("techtool.cli.setup", N_("the first-run settings, without the screen")),
    "doctor": ("techtool.cli.doctor", N_("check what is kept on this laptop; --rebuild, --salvage")),
}
"""Name → module (its ``command``) and short help: nothing is imported to print the list."""


class LazyGroup(click.Group):
    """Imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order a visit needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        if not isinstance(command, click.Command):
            raise InternalError(kind=cmd_name)
        return _in_language(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list without loading any."""
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, translate(text)) for name, (_module, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=N_("Update payment terminals on site, offline, and prove what was done. Without a command: the screens."),
)
@click.version_option(techtool.__version__, prog_name="techtool")
@click.pass_context
def command(ctx: click.Context) -> None:
    """The root command."""
    if ctx.invoked_subcommand is None:
        from techtool.cli.screens import run_screens

        sys.exit(run_screens())


def _in_language(command: click.Command) -> click.Command:
    """Help texts are marked where they stand and translated here, when the language is known."""
    command.help = translate(command.help or "")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            parameter.help = translate(parameter.help or "")
    if isinstance(command, click.Group):
        for child in command.commands.values():
            _in_language(child)
    return command


def choose_language() -> None:
    """``$TECHTOOL_LANG``, else the settings' language, else the computer's; read without loading a TOML library."""
    chosen = os.environ.get("TECHTOOL_LANG", "")
    if chosen not in LANGUAGES:
        chosen = _language_in_settings() or system_language()
    set_language(chosen)
    speak(chosen)
    _in_language(command)


def _language_in_settings() -> str:
    from techtool.paths import Paths

    try:
        text = Paths.default().settings.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    found = re.search(r'^language\s*=\s*"(en|zh)"', text, re.MULTILINE)
    return found.group(1) if found else ""


def run(argv: Sequence[str]) -> int:
    """Run one command line and log how it ended; returns its exit code and lets no exception out."""
    code, problem = _run(argv)
    _log(argv, code, problem)
    return code


def _log(argv: Sequence[str], code: int, problem: str) -> None:
    """What was asked for by our own words. Support bundles log nothing: made twice, they are the same file."""
    name = argv[0] if argv else "screens"
    if name == "support" or (argv and name not in COMMANDS) or {"-h", "--help"} & set(argv):
        return
    from techtool.logbook import note
    from techtool.paths import Paths

    note(Paths.default(), " ".join(filter(None, ("command", name, f"exit {code}", problem))))


def _run(argv: Sequence[str]) -> tuple[int, str]:
    """The exit code, and for the log the code of what went wrong."""
    as_json = "--json" in argv
    try:
        if not {"-h", "--help"} & set(argv) and "doctor" not in argv[:1]:
            _finish_enrolment()
        result = command.main(args=list(argv), prog_name="techtool", standalone_mode=False)
        return (result if isinstance(result, int) else 0), ""
    except TechtoolError as error:
        show_error(error, as_json=as_json)
        return int(error.exit_code), error.code
    except click.exceptions.Exit as leave:
        return leave.exit_code, ""
    except click.exceptions.NoArgsIsHelpError as bare:
        say(bare.ctx.get_help())
        return int(Exit.USAGE), ""
    except click.ClickException as error:
        usage = UsageError(problem=error.format_message())
        show_error(usage, as_json=as_json)
        return int(usage.exit_code), usage.code
    except (click.Abort, KeyboardInterrupt):
        stopped = Interrupted()
        show_error(stopped, as_json=as_json)
        return int(stopped.exit_code), stopped.code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.FAILED), ""
    except OSError as error:
        from techtool.paths import disk_error

        failed = disk_error(error, "stdout")
        show_error(failed, as_json=False)
        return int(failed.exit_code), failed.code
    except Exception as error:
        internal = InternalError(kind=type(error).__name__, detail=_where(error))
        show_error(internal, as_json=as_json)
        if os.environ.get("TECHTOOL_DEBUG"):
            raise
        say(f"  {internal.detail}")
        from techtool.logbook import places

        return int(internal.exit_code), f"{internal.code} {type(error).__name__} at {places(error)}"


def _finish_enrolment() -> None:
    """Nobody works with half of an enrolment: what a stop left is finished first (:mod:`techtool.office.enrolling`).

    Where that cannot be done, it is said, and only help and ``doctor`` go on.
    """
    from techtool.paths import Paths

    if (Paths.default().trust / "enrolment.pending").exists():
        from techtool.office.enrolling import finish
        from techtool.store.home import Home

        if finish(Home(Paths.default())):
            say(_("The enrolment that was broken off is finished now."))


def _where(error: BaseException) -> str:
    """Module and line of a defect: no values, so no card number can ride along."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """``techtool``."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _terminate)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    choose_language()
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:
        # Said already, or nobody listens: what is left in the buffer must not become a traceback at the very end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or int(Exit.FAILED)
    sys.exit(code)
