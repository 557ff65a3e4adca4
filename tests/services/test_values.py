"""Parameters, rows, errors and Redis's replies, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import palitra
import pytest
from conftest import Host, eventually
from servers import Servers


def test_parameters_of_any_type_and_rows_of_many(host: Host) -> None:
    sql = """select $1::bool as yes, $2::int2 as small, $3::int8 as large, $4::float8 as real, $5::text as text,
        $6::jsonb as document, $7::int as missing, $8::date::text as day, $9::int[]::text as list,
        $10::numeric::text as exact, $11::uuid::text as id"""
    uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    given: list[Any] = [True, -3, 1 << 62, 2.5, "Zoë 'x'", {"a": [1]}, None, "2026-01-31", "{1,2}", "0.10", uuid]
    names = ["yes", "small", "large", "real", "text", "document", "missing", "day", "list", "exact", "id"]
    expected = dict(zip(names, given, strict=True))
    assert host.query(sql, *given) == [expected]


def test_what_a_statement_changes_is_counted(host: Host) -> None:
    host.query("create table counted (id int)")
    statement = {"sql": "insert into counted select generate_series(1, 7)"}
    assert host.run("pg.query", statement) == {"rows": [], "affected": 7}
    returning = {"sql": "delete from counted where id > $1 returning id", "parameters": [5]}
    assert host.run("pg.query", returning) == {"rows": [{"id": 6}, {"id": 7}], "affected": 2}


def test_an_error_has_the_state_in_its_message_and_its_code(host: Host) -> None:
    host.query("create table stated (id int primary key)")
    host.query("insert into stated values (1)")
    for sql, state in (
        ("insert into stated values (1)", "23505"),
        ("selec", "42601"),
        ("select * from missing", "42P01"),
        ("select 1/0", "22012"),
        ("select $1::int", "22P02"),
    ):
        parameters = ["x"] if "$1" in sql else []
        with pytest.raises(palitra.JobError) as failed:
            host.query(sql, *parameters)
        assert failed.value.code == int(state, 36)
        assert f"(SQLSTATE {state})" in failed.value.message


def test_what_cannot_be_is_refused_before_anything_is_done(host: Host) -> None:
    host.query("create table dated (day date)")
    for statement in (
        {"sql": "insert into dated values (now()) returning day"},
        {"sql": "insert into dated values ($1)", "parameters": []},
    ):
        with pytest.raises(palitra.JobError, match="day::text|takes 1 parameters, not 0") as failed:
            host.run("pg.query", statement)
        assert failed.value.code == 2
    assert host.query("select count(*) from dated") == [{"count": 0}]


def test_a_transaction_is_all_or_nothing(host: Host) -> None:
    host.query("create table whole (id int primary key)")
    insert = {"sql": "insert into whole values ($1)", "parameters": [1]}
    with pytest.raises(palitra.JobError) as failed:
        host.run("pg.transaction", [insert, insert])
    assert failed.value.code == int("23505", 36)
    assert host.query("select count(*) from whole") == [{"count": 0}]
    answers = host.run("pg.transaction", [insert, {"sql": "select id from whole"}])
    assert [answer["affected"] for answer in answers] == [1, 1]
    assert answers[1]["rows"] == [{"id": 1}]


def test_redis_replies_are_json(host: Host) -> None:
    for words, reply in (
        (["SET", "text", "Zoë"], "OK"),
        (["GET", "text"], "Zoë"),
        (["GET", "missing"], None),
        (["INCRBY", "number", 5], 5),
        (["RPUSH", "list", "a", 1, True], 3),
        (["LRANGE", "list", 0, -1], ["a", "1", "true"]),
        (["HSET", "hash", "a", 1], 1),
        (["HGETALL", "hash"], {"a": "1"}),
    ):
        assert host.run("redis.command", words) == reply
    with pytest.raises(palitra.JobError, match=r"redis: .*WRONGTYPE") as failed:
        host.run("redis.command", ["INCR", "hash"])
    assert failed.value.code == 2


def count_clients(host: Host) -> int:
    return len(host.run("redis.command", ["CLIENT", "LIST"]).splitlines())


def test_a_runner_has_one_connection_to_redis(make_host: Callable[..., Host]) -> None:
    host, other = make_host(), make_host()
    before = count_clients(other)
    host.runner.gather(*(host.runner.job("redis.command", ["INCR", "shared"]) for _ in range(1000)))
    assert host.run("redis.command", ["GET", "shared"]) == "1000"
    assert count_clients(other) == before + 1
    host.runner.close()
    eventually(lambda: count_clients(other) == before)


def test_a_cancelled_command_leaves_the_others_their_replies(host: Host) -> None:
    host.run("redis.command", ["SET", "mine", "yes"])
    for _ in range(3):
        with pytest.raises(palitra.TimeoutError):
            host.run("redis.command", ["BLPOP", "nothing", "0.3"], timeout=0.05)
        assert host.run("redis.command", ["GET", "mine"]) == "yes"


@pytest.mark.parametrize("is_used_meanwhile", [False, True], ids=["idle", "used"])
def test_redis_that_restarts_is_connected_to_again(host: Host, servers: Servers, *, is_used_meanwhile: bool) -> None:
    assert host.run("redis.command", ["PING"]) == "PONG"
    servers.redis.stop()
    if is_used_meanwhile:
        for _ in range(3):
            with pytest.raises(palitra.JobError) as failed:
                host.run("redis.command", ["PING"])
            assert failed.value.code == 1
    servers.redis.start()
    assert host.run("redis.command", ["PING"]) == "PONG"


def test_nats_that_restarts_is_connected_to_again(host: Host, servers: Servers) -> None:
    messages = host.iterate("nats.subscribe", "again")
    next(messages)
    servers.nats.stop()
    servers.nats.start()
    # What is published while the client connects anew is kept; the subscription is made anew, too.
    host.run("nats.publish", b'{"subject": "again"}\nhello', timeout=20)
    assert next(messages).endswith(b"hello")
    messages.close()
