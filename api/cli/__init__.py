"""The command `deedlog`. A command's module is loaded only when it is called, so `verify` starts fast.

This file has the table of commands, and turns errors into texts and exit codes. Each other file is one command or a
group: `key`, `register`, `prove`, `verify`, `audit`, `works`, `agreement`, `revenue`. The folder `trust` has the
command of that name, and the option `--registry`; `words` has `show` and `terms`, and what is read before signing;
`operator` has the commands that need the platform's packages. They share `common` (input and output), `exit_codes`,
`outputs`, `signing` and `shares`; `key_files` belongs to `key`. May import everything.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from typing import NoReturn

import click

from deedlog import __version__
from deedlog.api.cli.common import show_error
from deedlog.api.cli.exit_codes import ExitCode, exit_code_of
from deedlog.api.cli.outputs import give_up_standard_output
from deedlog.api.texts import LANGUAGES, choose_language, text
from deedlog.registry.errors import DeedlogError, InvalidData, Unavailable

click.ClickException.exit_code = click.UsageError.exit_code = ExitCode.USAGE
"""Not click's own 1 and 2, which are answers of `verify`, `audit` and `fsck`."""

_COMMANDS = {
    "key": "deedlog.api.cli.key",
    "register": "deedlog.api.cli.register",
    "claim": "deedlog.api.cli.works:claim",
    "contribute": "deedlog.api.cli.works:contribute",
    "countersign": "deedlog.api.cli.works:countersign",
    "agreement": "deedlog.api.cli.agreement",
    "show": "deedlog.api.cli.words.show",
    "terms": "deedlog.api.cli.words.terms",
    "report": "deedlog.api.cli.revenue:report",
    "payout": "deedlog.api.cli.revenue:payout",
    "prove": "deedlog.api.cli.prove",
    "verify": "deedlog.api.cli.verify",
    "audit": "deedlog.api.cli.audit",
    "trust": "deedlog.api.cli.trust.commands",
    "init": "deedlog.api.cli.operator.init",
    "migrate": "deedlog.api.cli.operator.migrate",
    "serve": "deedlog.api.cli.operator.serve",
    "worker": "deedlog.api.cli.operator.worker",
    "fsck": "deedlog.api.cli.operator.fsck",
    "api-key": "deedlog.api.cli.operator.api_key",
}

PLATFORM = frozenset(
    (
        *("alembic", "sqlalchemy", "sqlmodel", "tenacity", "pydantic", "pydantic_settings"),
        *("fastapi", "fastapi_offline", "starlette", "uvicorn", "limits", "prometheus_client"),
        *("web3", "eth_account", "hexbytes"),
    )
)
"""Packages, by import name, that `deedlog[platform]` installs and the base install lacks."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute or "command")
        return command


_OUTPUT_FAILED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What writing to standard output may fail with besides a closed pipe. Files have errors of ours."""


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--lang", type=click.Choice(LANGUAGES), envvar="DEEDLOG_LANG", help="Language of texts (default: LANG).")
@click.version_option(__version__, prog_name="deedlog")
@click.pass_context
def cli(ctx: click.Context, lang: str | None) -> None:
    """Deedlog: sign what you made, and prove it with the registry switched off."""
    ctx.obj = lang or choose_language(os.environ.get("LC_ALL") or os.environ.get("LANG"))


def main() -> None:
    """Run the command line. Errors are printed in the person's language; `exit_codes` has the exit codes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None if it was closed before the start
            # A console with another encoding (GBK) prints an escape for a character it lacks, instead of failing.
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(_run())
    except DeedlogError as error:
        show_error(_language(), error, as_json="--json" in sys.argv)
        sys.exit(exit_code_of(error))
    except (click.Abort, KeyboardInterrupt):
        click.echo(text(_language(), "cli.interrupted"), err=True)
        sys.exit(ExitCode.INTERRUPTED)
    except OSError as error:
        if error.errno not in _OUTPUT_FAILED or error.filename is not None:
            _show_fault()
        give_up_standard_output()
        failed = Unavailable("file.unwritable", path="-", reason=error.strerror or str(error))
        show_error(_language(), failed, as_json=False)
        sys.exit(ExitCode.IO)
    except Exception:  # noqa: BLE001 - a fault of ours is shown whole, and its exit code is no answer
        _show_fault()


def _show_fault() -> NoReturn:
    import traceback  # noqa: PLC0415 - every command would pay for it

    traceback.print_exc()
    sys.exit(ExitCode.FAULT)


def _run() -> int:
    """Run the command that was called; return its exit code. Errors of other packages become ours."""
    try:
        # Not in click's standalone mode, which ends with 1 after Ctrl-C.
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SystemExit as error:
        # What click does if nobody reads the output any more; no command of ours ends in this way.
        return ExitCode.IO if error.code == 1 else _number(error.code)
    except _database_faults() as error:
        raise Unavailable("database.unavailable") from error
    except ModuleNotFoundError as error:
        if not _lacks_platform(error):
            raise
        raise Unavailable("platform.missing", package=str(error.name)) from error
    except UnicodeEncodeError as error:
        # The C library and Python may disagree about a file name's bytes: 0x80 is in glibc's GBK, not in Python's.
        raise InvalidData("file.name_encoding", encoding=sys.getfilesystemencoding()) from error
    return _number(code)


def _number(code: object) -> int:
    return code if isinstance(code, int) else ExitCode.DONE


def _database_faults() -> tuple[type[Exception], ...]:
    """Return the exceptions for a full disk or a lost connection; none if the platform's packages are not loaded."""
    loaded = sys.modules.get("sqlalchemy.exc")
    return () if loaded is None else (loaded.OperationalError,)


def _lacks_platform(error: ModuleNotFoundError) -> bool:
    """Whether a platform package is missing entirely. A package that is only partly there is a fault of its own."""
    import importlib.util  # noqa: PLC0415 - 3 ms, and every command would pay them

    package = (error.name or "").partition(".")[0]
    return package in PLATFORM and importlib.util.find_spec(package) is None


def _language() -> str:
    arguments = sys.argv
    for position, argument in enumerate(arguments):
        if argument == "--lang" and position + 1 < len(arguments):
            return choose_language(arguments[position + 1])
        if argument.startswith("--lang="):
            return choose_language(argument.removeprefix("--lang="))
    return choose_language(os.environ.get("DEEDLOG_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG"))
