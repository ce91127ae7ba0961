"""Rotations, drafts and events"""

from alembic import op
import sqlalchemy as sa


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('statement', sa.Column('public_from', sa.BigInteger(), nullable=True))
    op.create_table('rotation',
    sa.Column('account', sa.LargeBinary(), nullable=False),
    sa.Column('successor', sa.LargeBinary(), nullable=False),
    sa.Column('statement_id', _ID, nullable=False),
    sa.ForeignKeyConstraint(['statement_id'], ['statement.id'], name=op.f('fk_rotation_statement_id')),
    sa.PrimaryKeyConstraint('account', name=op.f('pk_rotation')),
    sa.UniqueConstraint('statement_id', name=op.f('uq_rotation_statement_id')),
    sa.UniqueConstraint('successor', name=op.f('uq_rotation_successor'))
    )
    op.create_table('draft',
    sa.Column('id', _ID, nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('proposed_at', sa.BigInteger(), nullable=False),
    sa.Column('api_key_id', _ID, nullable=True),
    sa.Column('public_from', sa.BigInteger(), nullable=True),
    sa.Column('cancelled_by', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['api_key_id'], ['api_key.id'], name=op.f('fk_draft_api_key_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draft')),
    sa.UniqueConstraint('digest', name=op.f('uq_draft_digest'))
    )
    op.create_table('draft_party',
    sa.Column('account', sa.LargeBinary(), nullable=False),
    sa.Column('draft_id', _ID, nullable=False),
    sa.Column('signature', sa.LargeBinary(), nullable=True),
    sa.Column('signed_at', sa.BigInteger(), nullable=True),
    sa.Column('declined_at', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('(signature IS NULL) = (signed_at IS NULL)', name=op.f('ck_draft_party_signed_with_time')),
    sa.ForeignKeyConstraint(['draft_id'], ['draft.id'], name=op.f('fk_draft_party_draft_id')),
    sa.PrimaryKeyConstraint('account', 'draft_id', name=op.f('pk_draft_party'))
    )
    op.create_index(op.f('ix_draft_party_draft_id'), 'draft_party', ['draft_id'])
    op.create_table('draft_subject',
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('draft_id', _ID, nullable=False),
    sa.ForeignKeyConstraint(['draft_id'], ['draft.id'], name=op.f('fk_draft_subject_draft_id')),
    sa.PrimaryKeyConstraint('subject', 'draft_id', name=op.f('pk_draft_subject'))
    )
    op.create_table('event',
    sa.Column('id', _ID, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=True),
    sa.Column('account', sa.LargeBinary(), nullable=True),
    sa.Column('chain_id', sa.BigInteger(), nullable=True),
    sa.Column('first', sa.BigInteger(), nullable=True),
    sa.Column('end', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('(digest IS NULL) <> (first IS NULL)', name=op.f('ck_event_one_or_a_range')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_event'))
    )
