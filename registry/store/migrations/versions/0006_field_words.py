"""Rename a table and a column to the field's own words"""

from alembic import op


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f('ix_rerun_statement_id'), table_name='rerun')
    op.rename_table('rerun', 'idempotency_key')
    op.create_index(op.f('ix_idempotency_key_statement_id'), 'idempotency_key', ['statement_id'], unique=False)
    op.execute('ALTER TABLE statement_text RENAME COLUMN opening TO prefix')
