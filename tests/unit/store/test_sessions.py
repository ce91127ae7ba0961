"""Nonces and sessions in the database: each nonce serves once, whoever comes at once, and what is over goes."""

from __future__ import annotations

import hashlib
import threading

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from support.worlds.registries.registry_world import ALICE, BOB, NOW
from support.worlds.session.waiting import PATIENCE

from deedlog.api.http.sessions import PREFIX, SESSION_SECONDS, Sessions
from deedlog.registry import sign_in
from deedlog.registry.errors import InvalidData
from deedlog.registry.sign_in import NONCE_SECONDS, site_at
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.store import sessions
from deedlog.registry.store.database import Database
from deedlog.registry.store.tables import NONCE, SESSION

SITE, CHAIN = site_at("http://127.0.0.1:8000"), 31337
ACCOUNT = account_of_private_key(ALICE)


@pytest.fixture
def signing_in(database):
    return Sessions(database, SITE, CHAIN)


def signature(text, key=ALICE):
    return sign(sign_in.digest(text), key).signature


def begun(signing_in, key=ALICE, now=NOW):
    text = signing_in.offer(account_of_private_key(key), now).text()
    return signing_in.begin(text, signature(text, key), now)


def bearer(session):
    return f"Bearer {session.token}"


def code_of(work):
    with pytest.raises(InvalidData) as caught:
        work()
    return caught.value.code


def counts(database):
    with database.read() as connection:
        return tuple(connection.execute(select(func.count()).select_from(table)).scalar() for table in (NONCE, SESSION))


def test_who_signs_the_message_is_signed_in_for_a_quarter_of_an_hour(signing_in, database):
    session = begun(signing_in)
    assert (session.account, session.expires_at) == (ACCOUNT, NOW + SESSION_SECONDS)
    assert signing_in.account(bearer(session), NOW + SESSION_SECONDS - 1) == ACCOUNT
    assert Sessions(Database(database.url), SITE, CHAIN).account(bearer(session), NOW) == ACCOUNT
    assert code_of(lambda: signing_in.account(bearer(session), NOW + SESSION_SECONDS)) == "sign_in.session"


def test_the_token_is_not_in_the_database(signing_in, database):
    session = begun(signing_in)
    with database.read() as connection:
        [row] = connection.execute(select(SESSION)).all()
    assert row.token_hash == hashlib.sha256(session.token.encode()).digest()
    assert session.token.startswith(PREFIX)
    assert len(session.token) == len(PREFIX) + 43


def test_a_nonce_serves_once(signing_in):
    text = signing_in.offer(ACCOUNT, NOW).text()
    signing_in.begin(text, signature(text), NOW)
    assert code_of(lambda: signing_in.begin(text, signature(text), NOW)) == "sign_in.nonce"


def test_a_refused_message_leaves_the_nonce(signing_in):
    text = signing_in.offer(ACCOUNT, NOW).text()
    assert code_of(lambda: signing_in.begin(text, signature(text, BOB), NOW)) == "sign_in.signer"
    assert signing_in.begin(text, signature(text), NOW).account == ACCOUNT


def test_a_nonce_of_nobody_or_of_another_registry_is_refused(signing_in, tmp_path):
    other = Database(f"sqlite:///{tmp_path / 'other.sqlite'}")
    other.migrate()
    for text in (
        sign_in.offer(ACCOUNT, SITE, CHAIN, "0123456789abcdef", NOW).text(),
        Sessions(other, SITE, CHAIN).offer(ACCOUNT, NOW).text(),
    ):
        assert code_of(lambda text=text: signing_in.begin(text, signature(text), NOW)) == "sign_in.nonce"
    other.close()


def test_a_message_without_its_end_is_not_what_was_offered(signing_in):
    text = signing_in.offer(ACCOUNT, NOW).text()
    endless = text.replace("\nExpiration Time: 2026-11-23T18:58:20Z", "")
    assert "Expiration" not in endless
    assert code_of(lambda: signing_in.begin(endless, signature(endless), NOW)) == "sign_in.not_offered"
    assert signing_in.begin(text, signature(text), NOW + NONCE_SECONDS - 1).account == ACCOUNT


def test_a_nonce_is_over_after_five_minutes(signing_in):
    text = signing_in.offer(ACCOUNT, NOW).text()
    assert code_of(lambda: signing_in.begin(text, signature(text), NOW + NONCE_SECONDS)) == "sign_in.expired"


def test_an_ended_session_opens_nothing_and_leaves_others(signing_in):
    first, second, bobs = begun(signing_in), begun(signing_in), begun(signing_in, BOB)
    signing_in.end(bearer(first), NOW)
    for work in (lambda: signing_in.account(bearer(first), NOW), lambda: signing_in.end(bearer(first), NOW)):
        assert code_of(work) == "sign_in.session"
    assert signing_in.account(bearer(second), NOW) == ACCOUNT
    assert signing_in.account(bearer(bobs), NOW) == account_of_private_key(BOB)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer deedlog_x", "Basic deedsession_x", "deedsession_x"])
def test_what_is_no_sessions_token_is_nobody(signing_in, header):
    assert signing_in.account(header, NOW) is None
    assert code_of(lambda: signing_in.end(header, NOW)) == "sign_in.missing"


@pytest.mark.parametrize("header", ["Bearer deedsession_", "bearer deedsession_x", "Bearer deedsession_\u6f22"])
def test_a_wrong_token_is_an_error(signing_in, header):
    assert code_of(lambda: signing_in.account(header, NOW)) == "sign_in.session"


def test_part_of_a_token_or_more_than_it_is_an_error(signing_in):
    session = begun(signing_in)
    for token in (session.token[:-1], session.token + "A", PREFIX + session.token):
        assert code_of(lambda token=token: signing_in.account(f"Bearer {token}", NOW)) == "sign_in.session"
    assert signing_in.account(bearer(session), NOW) == ACCOUNT


@pytest.mark.parametrize("at_once", [2, 8])
def test_of_several_sign_ins_with_one_nonce_at_once_one_succeeds(database, at_once):
    """Each with a process's own connections; all have proven the signature before any uses the nonce."""
    processes = [Database(database.url) for _ in range(at_once)]
    for number in range(12):
        text = Sessions(database, SITE, CHAIN).offer(ACCOUNT, NOW).text()
        made = signature(text)
        barrier, results = threading.Barrier(at_once), []

        def run(process, text=text, made=made, barrier=barrier, results=results):
            barrier.wait()
            try:
                results.append(Sessions(process, SITE, CHAIN).begin(text, made, NOW).account)
            except InvalidData as error:
                results.append(error.code)

        threads = [threading.Thread(target=run, args=(process,)) for process in processes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results, key=str) == sorted([ACCOUNT, *["sign_in.nonce"] * (at_once - 1)], key=str)
        assert counts(database) == (0, number + 1)
    for process in processes:
        process.close()


def test_a_transaction_that_is_undone_uses_no_nonce(database, signing_in):
    """What fails after the nonce was used, and before the commit, leaves it as it was."""
    text = signing_in.offer(ACCOUNT, NOW).text()
    nonce = sign_in.read(text).nonce

    def fail_in_the_middle(connection):
        assert sessions.use_nonce(connection, nonce, NOW)
        sessions.add_session(connection, b"too short", ACCOUNT, NOW + 1, NOW)

    with pytest.raises(IntegrityError):
        database.retry_write(fail_in_the_middle)
    assert signing_in.begin(text, signature(text), NOW).account == ACCOUNT


def test_what_is_over_is_removed_as_new_is_made_a_bounded_number_at_once(database, signing_in):
    many = 2 * sessions.REMOVED_AT_ONCE + 50
    with database.write() as connection:
        for number in range(many):
            hashed = hashlib.sha256(b"%d" % number).digest()
            connection.execute(NONCE.insert().values(nonce=f"old{number:08}", expires_at=NOW - number))
            connection.execute(SESSION.insert().values(token_hash=hashed, account=ACCOUNT, expires_at=NOW - number))
    begun(signing_in)
    assert counts(database) == (many - sessions.REMOVED_AT_ONCE, many - sessions.REMOVED_AT_ONCE + 1)
    begun(signing_in)
    begun(signing_in)
    assert counts(database) == (0, 3)


def test_what_another_process_is_removing_is_not_waited_for(postgres):
    """PostgreSQL only: SQLite has one writer at a time."""
    database = Database(postgres.new_database())
    database.migrate()
    signing_in = Sessions(database, SITE, CHAIN)
    with database.write() as connection:
        connection.execute(NONCE.insert().values(nonce="old00000", expires_at=NOW))
    with database.write() as connection:
        sessions.add_nonce(connection, "new00000", NOW + 9, NOW)  # and has not committed
        finished = threading.Thread(target=lambda: signing_in.offer(ACCOUNT, NOW))
        finished.start()
        finished.join(PATIENCE)
        assert not finished.is_alive()
    assert counts(database) == (2, 0)
    database.close()


@pytest.mark.parametrize("changes", [{"token_hash": b"x" * 31}, {"account": b"x" * 21}, {"account": b""}])
def test_a_session_of_another_shape_is_refused_by_the_database(database, changes):
    row = {"token_hash": b"x" * 32, "account": ACCOUNT, "expires_at": NOW}
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(SESSION.insert().values(row | changes))
