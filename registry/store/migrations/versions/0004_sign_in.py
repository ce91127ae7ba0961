"""Sign-in"""

from alembic import op
import sqlalchemy as sa


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('sign_in_nonce',
    sa.Column('nonce', sa.Text(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('nonce', name=op.f('pk_sign_in_nonce'))
    )
    op.create_index(op.f('ix_sign_in_nonce_expires_at'), 'sign_in_nonce', ['expires_at'], unique=False)
    op.create_table('session',
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('account', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('length(token_hash) = 32', name=op.f('ck_session_token_hash_size')),
    sa.CheckConstraint('length(account) = 20', name=op.f('ck_session_account_size')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_session'))
    )
    op.create_index(op.f('ix_session_expires_at'), 'session', ['expires_at'], unique=False)
