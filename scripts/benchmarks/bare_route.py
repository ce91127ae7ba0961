"""The peer of `register`: a bare FastAPI route that parses JSON, recovers a signature and inserts a row.

`python -m benchmarks.bare_route DATABASE PORT`. It checks nothing, stores one row per request, and answers when the row
is durable: SQLite with a write-ahead log and full fsync, and one thread that commits waiting rows in groups.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor

import uvicorn
from coincurve import PublicKey
from fastapi import FastAPI, Request

Row = tuple[bytes, bytes, bytes]

application = FastAPI()
waiting: list[tuple[Row, asyncio.Future[None]]] = []
thread = ThreadPoolExecutor(1)
writing: set[asyncio.Task[None]] = set()


@application.post("/v1/statements", status_code=201)
async def post_statement(request: Request) -> dict[str, str]:
    """Insert the request's bytes with the key that signed them."""
    body = await request.body()
    sent = await request.json()
    digest = hashlib.sha256(body).digest()
    signature = bytes.fromhex(sent["signatures"][0]["signature"][2:])
    key = PublicKey.from_signature_and_message(signature[:64] + bytes([signature[64] - 27]), digest, hasher=None)
    kept = asyncio.get_running_loop().create_future()
    waiting.append(((digest, key.format(), body), kept))
    if not writing:
        task = asyncio.create_task(write())
        writing.add(task)
        task.add_done_callback(writing.discard)
    await kept
    return {"digest": digest.hex()}


async def write() -> None:
    """Commit all waiting rows, again and again until none waits."""
    while waiting:
        group = waiting[:]
        waiting.clear()
        await asyncio.get_running_loop().run_in_executor(thread, insert, [row for row, _ in group])
        for _, kept in group:
            kept.set_result(None)


def insert(rows: list[Row]) -> None:
    """Insert rows in one transaction."""
    database.execute("BEGIN IMMEDIATE")
    database.executemany("INSERT INTO row (digest, key, body) VALUES (?, ?, ?)", rows)
    database.execute("COMMIT")


if __name__ == "__main__":
    database = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE row (digest BLOB PRIMARY KEY, key BLOB NOT NULL, body BLOB NOT NULL)")
    uvicorn.run(application, port=int(sys.argv[2]), log_level="warning", access_log=False)
