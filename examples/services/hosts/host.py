"""PostgreSQL, Redis, NATS and objects from Python, without a word of Rust.

    python3 host.py ../target/release/libexample_services.so

The configuration of the jobs is in SERVICES_CONFIG: ../servers.py starts servers and sets it. The hosts in C, C++ and
Go, beside this file, print the same.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import palitra


def show(label: str, said: Any) -> None:
    """Prints what a job said: JSON, or bytes, whose second line goes on the first."""
    text = said.decode().replace("\n", " ") if isinstance(said, bytes) else json.dumps(said, separators=(",", ":"))
    print(f"{label}: {text}")


def postgres(runner: Any) -> None:
    def query(sql: str, *parameters: Any, timeout: float = 10) -> Any:
        return runner.run(runner.job("pg.query", sql=sql, parameters=parameters), timeout=timeout)

    statements = [
        {"sql": "drop table if exists people"},
        {"sql": "create table people (id int primary key, name text)"},
        {"sql": "insert into people values (1, 'Ada'), (2, 'Grace'), (3, 'Barbara')"},
    ]
    show("transaction", runner.run(runner.job("pg.transaction", statements)))
    show("query", query("select name from people where id = $1", 2))

    count = 0
    for row in runner.iterate(runner.job("pg.rows", sql="select * from people order by id")):
        show("row", row)
        count += 1
    show("rows", count)

    try:
        query("insert into people values (1, 'Ada')")
    except palitra.JobError as failed:
        is_duplicate = failed.code == int("23505", 36)  # the SQLSTATE, read in base 36
        print(f"{'duplicate' if is_duplicate else 'refused'}: {failed.message}")

    try:
        query("select pg_sleep(60)", timeout=0.1)
    except palitra.TimeoutError:  # the server was told; the next query has the connection at once
        show("after a timeout", query("select 1 as one"))


def notifications(runner: Any) -> None:
    listening = runner.iterate(runner.job("pg.listen", "orders"))
    show("listen", next(listening))  # from here on nothing is missed
    notify = runner.job("pg.query", sql="select pg_notify('orders', $1)", parameters=["7"])
    show("notify", runner.run(notify))
    show("notified", next(listening))
    listening.close()


def messages(runner: Any) -> None:
    subscribed = runner.iterate(runner.job("nats.subscribe", "orders.*"))
    show("subscribe", next(subscribed))
    show("publish", runner.run(runner.job("nats.publish", b'{"subject": "orders.7"}\npaid')))
    show("message", next(subscribed))
    subscribed.close()


def objects(runner: Any) -> None:
    content = b"x" * (1 << 20)
    written = runner.run(
        runner.job("objects.write", b'{"path": "reports/one"}\n' + content)
    )  # JSON, a line feed, bytes
    show("write", written)
    show("list", runner.run(runner.job("objects.list", "reports/")))
    read = b"".join(runner.iterate(runner.job("objects.read", "reports/one")))
    show("read", {"bytes": len(read)})
    assert read == content


def main() -> None:
    library = palitra.load(sys.argv[1])
    with library.Runner(config=os.environ["SERVICES_CONFIG"]) as runner:  # its end closes every connection
        postgres(runner)
        notifications(runner)
        show("set", runner.run(runner.job("redis.command", ["SET", "visits", 41])))
        show("incr", runner.run(runner.job("redis.command", ["INCR", "visits"])))
        messages(runner)
        objects(runner)


if __name__ == "__main__":
    main()
