"""`deedlog migrate`: bring the database of an earlier version to this version's schema."""

from __future__ import annotations

from contextlib import closing

import click

from deedlog.api.cli.common import say, show_json
from deedlog.registry.errors import InvalidData


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(language: str, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Migrate the tables of an earlier version to this version's schema. Stop the registry first, and make a backup."""
    from deedlog.anchor.log import store as log_store  # noqa: PLC0415 - the platform's packages, not the base install's
    from deedlog.api.bootstrap import read_identity  # noqa: PLC0415
    from deedlog.api.settings import read_settings  # noqa: PLC0415
    from deedlog.registry.store.database import Database  # noqa: PLC0415
    from deedlog.registry.store.tables import SCHEMA_VERSION  # noqa: PLC0415

    settings = read_settings()
    identity = read_identity(settings.identity_file)
    with closing(Database(settings.database)) as database:
        before = database.schema_version()
        if before == SCHEMA_VERSION:
            database.check_version()
        elif log_store.identity_of(database) != identity:  # that table is the same in every schema version
            raise InvalidData("database.other_registry", path=str(settings.identity_file))
        else:
            database.migrate()
            database.check_version()
    shown = {"before": str(before), "now": SCHEMA_VERSION}
    if as_json:
        show_json(shown)
    else:
        say(language, "cli.migrate.done", **shown)
