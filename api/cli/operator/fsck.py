"""`deedlog fsck`: the operator checks the whole database against its entries and the contract."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import asdict

import click

from deedlog.anchor.rpc.contract_reader import NodeContract
from deedlog.api.cli.audit import print_log, result
from deedlog.api.cli.common import Bars, request_seconds, say, show_error, show_json
from deedlog.api.cli.exit_codes import ExitCode, ending
from deedlog.registry.errors import Unavailable


@click.command()
@click.option("--no-chain", is_flag=True, help="Ask no node: leave the contract's history unchecked.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def command(ctx: click.Context, no_chain: bool, as_json: bool) -> None:  # noqa: FBT001 - click's flags
    """Derive everything in the database again from its entries, and compare. Changes nothing.

    May run beside a worker. Exit code: 0 if all is in order, 1 if something is wrong (the first problem is named), 2 if
    it could not be checked.
    """
    from deedlog.anchor.fsck.database import check_database  # noqa: PLC0415
    from deedlog.anchor.log import last_signed  # noqa: PLC0415 - the platform's packages, not the base install's
    from deedlog.api.bootstrap import check_chain, read_identity  # noqa: PLC0415
    from deedlog.api.settings import read_settings  # noqa: PLC0415
    from deedlog.registry.store.database import Database  # noqa: PLC0415

    language: str = ctx.obj
    settings = read_settings()
    identity = read_identity(settings.identity_file)  # where there is none, the data folder is mistyped
    try:
        with ExitStack() as stack:
            database = stack.enter_context(closing(Database(settings.database)))
            database.check_version()
            contract = None
            if not no_chain:
                check_chain(settings, identity)
                contract = NodeContract(
                    settings.chosen_rpc_url(), identity.address, settings.chosen_chain().chain_id, request_seconds()
                )
                stack.enter_context(contract)
            stack.enter_context(ending(ExitCode.NO))
            checked = check_database(database, identity, contract, stack.enter_context(Bars(language)))
            last_signed.check(last_signed.path_beside(settings.log_key), database)
    except Unavailable as error:
        show_error(language, error, as_json=as_json)
        ctx.exit(ExitCode.NOT_CHECKED)
    counts = asdict(checked.counts)
    if as_json:
        show_json(result(identity, checked.log) | {"rows": counts})
        return
    print_log(language, identity, checked.log)
    say(language, "cli.fsck.rows", **counts)
