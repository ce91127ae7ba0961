"""The text beside the statement"""

from alembic import op
import sqlalchemy as sa


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

# An entry ends in  ,"time":N,"v":1}  which is cut off here and appended again whenever the entry is read.
_CUT = "length(entry) - 15 - length(CAST(logged_at AS TEXT))"
_CLOSING = """',"time":' || logged_at || ',"v":1}'"""
_AFTER = {
    'sqlite': f"CAST(substr(entry, {_CUT} + 1) AS TEXT) <> {_CLOSING}",
    'postgresql': f"encode(substr(entry, {_CUT} + 1), 'escape') <> {_CLOSING}",
}


def upgrade() -> None:
    connection = op.get_bind()
    dialect = connection.dialect.name
    if dialect == 'postgresql':
        # Lock out writers, so that no statement is accepted between the copy and the end of the migration.
        connection.exec_driver_sql("LOCK TABLE statement IN ACCESS EXCLUSIVE MODE")
    wrong = f"SELECT log_index FROM statement WHERE logged_at IS NOT NULL AND {_AFTER[dialect]}"
    damaged = connection.exec_driver_sql(wrong).scalar()
    if damaged is not None:
        raise RuntimeError(f"the entry at index {damaged} is damaged: it does not end with its time; restore a backup")
    op.create_table('statement_text',
    sa.Column('statement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('body', sa.Text(), nullable=True),
    sa.Column('opening', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['statement_id'], ['statement.id'], name=op.f('fk_statement_text_statement_id')),
    sa.PrimaryKeyConstraint('statement_id', name=op.f('pk_statement_text'))
    )
    connection.exec_driver_sql(
        "INSERT INTO statement_text (statement_id, body, opening) SELECT id, body, "
        f"CASE WHEN logged_at IS NULL THEN entry ELSE substr(entry, 1, {_CUT}) END "
        "FROM statement ORDER BY id"
    )
    op.execute("ALTER TABLE statement DROP COLUMN body")
    op.execute("ALTER TABLE statement DROP COLUMN entry")
