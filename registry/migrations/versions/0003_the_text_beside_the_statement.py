"""The text beside the statement"""

from alembic import op
import sqlalchemy as sa


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

# The end of an entry: ,"time":N,"v":1}
_CLOSING = "15 + length(CAST(logged_at AS TEXT))"


def upgrade() -> None:
    op.create_table('statement_text',
    sa.Column('statement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('body', sa.Text(), nullable=True),
    sa.Column('opening', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['statement_id'], ['statement.id'], name=op.f('fk_statement_text_statement_id')),
    sa.PrimaryKeyConstraint('statement_id', name=op.f('pk_statement_text'))
    )
    op.execute(
        "INSERT INTO statement_text (statement_id, body, opening) SELECT id, body, "
        f"CASE WHEN logged_at IS NULL THEN entry ELSE substr(entry, 1, length(entry) - ({_CLOSING})) END "
        "FROM statement ORDER BY id"
    )
    op.execute("ALTER TABLE statement DROP COLUMN body")
    op.execute("ALTER TABLE statement DROP COLUMN entry")
