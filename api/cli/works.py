"""`deedlog claim`, `contribute`, `countersign`: claim an upload, claim a part in a work, confirm either."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from deedlog.api.cli.exit_codes import ExitCode, ending
from deedlog.api.cli.signing import Signer, signer_options
from deedlog.registry import times
from deedlog.registry.hexadecimal import HASH_SIZE, from_hex
from deedlog.registry.statements import Claim, Contribution, Countersignature
from deedlog.registry.statements.vocabulary import ROLES

if TYPE_CHECKING:
    from deedlog.api.cli.signing import Options


@click.command()
@click.argument("upload")
@click.option("--credited-as", required=True, help="The name you want to be credited as.")
@click.option("--basis", default="own", show_default=True, help="own, employment or commission.")
@signer_options
def claim(options: Options, upload: str, credited_as: str, basis: str) -> None:
    """Claim the UPLOAD (0x…) that a platform registered on its own word. The platform then has to countersign."""
    with Signer(options) as signer:
        with ending(ExitCode.USAGE):
            claimed = Claim(
                upload=from_hex(upload, HASH_SIZE, "UPLOAD"),
                creator=signer.account,
                creditedAs=credited_as,
                basis=basis,
                madeAt=times.now(),
                salt=secrets.token_bytes(HASH_SIZE),
            )
        signer.send(claimed)


@click.command()
@click.argument("work")
@click.option("--role", required=True, help=", ".join(ROLES))
@click.option("--degree", default="equal", show_default=True, help="lead, equal or supporting.")
@click.option("--credited-as", required=True, help="The name you want to be credited as.")
@click.option("--agent", default="human", show_default=True, help="human, ai or tool: who did it; you declare it.")
@signer_options
def contribute(options: Options, work: str, role: str, degree: str, credited_as: str, agent: str) -> None:
    """Claim a part in WORK (0x…). It is shown as claimed until a creator of the work countersigns it."""
    with Signer(options) as signer:
        with ending(ExitCode.USAGE):
            contribution = Contribution(
                work=from_hex(work, HASH_SIZE, "WORK"),
                contributor=signer.account,
                role=role,
                degree=degree,
                creditedAs=credited_as,
                agent=agent,
                madeAt=times.now(),
                salt=secrets.token_bytes(HASH_SIZE),
            )
        signer.send(contribution)


@click.command()
@click.argument("statement")
@signer_options
def countersign(options: Options, statement: str) -> None:
    """Confirm STATEMENT (0x…): a contribution to your work, or, for a platform, the claim of an upload."""
    with Signer(options) as signer:
        with ending(ExitCode.USAGE):
            confirmation = Countersignature(
                statement=from_hex(statement, HASH_SIZE, "STATEMENT"),
                account=signer.account,
                madeAt=times.now(),
                salt=secrets.token_bytes(HASH_SIZE),
            )
        signer.send(confirmation)
