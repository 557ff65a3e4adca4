// host: PostgreSQL, Redis, NATS and objects from Go, without a word of Rust.
//
//	export CGO_CFLAGS="-I/path/to/palitra/include" CGO_LDFLAGS="-L/path/to/services/target/release -lexample_services"
//	go run -tags palitra_custom .
//
// The configuration of the jobs is in SERVICES_CONFIG: ../../servers.py starts servers and sets it. The hosts in C, C++
// and Python, beside this one, print the same.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	palitra "palitra.example/bindings/go"
)

// The payload of pg.query, pg.rows and, as a list, pg.transaction.
type statement struct {
	SQL        string `json:"sql"`
	Parameters []any  `json:"parameters,omitempty"`
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Prints what a job said, its bytes behind a line feed on the same line.
func show(label string, said []byte) {
	fmt.Printf("%s: %s\n", label, strings.ReplaceAll(string(said), "\n", " "))
}

func asJSON(value any) []byte {
	payload, err := json.Marshal(value)
	check(err)
	return payload
}

func run(ctx context.Context, runner *palitra.Runner, label, job string, payload []byte) {
	reply, err := runner.Run(ctx, job, payload)
	check(err)
	show(label, reply.Data)
}

func postgres(ctx context.Context, runner *palitra.Runner) {
	run(ctx, runner, "transaction", "pg.transaction", asJSON([]statement{
		{SQL: "drop table if exists people"},
		{SQL: "create table people (id int primary key, name text)"},
		{SQL: "insert into people values (1, 'Ada'), (2, 'Grace'), (3, 'Barbara')"},
	}))
	run(ctx, runner, "query", "pg.query", asJSON(statement{"select name from people where id = $1", []any{2}}))

	rows, err := runner.Submit(ctx, "pg.rows", asJSON(statement{SQL: "select * from people order by id"}))
	check(err)
	defer rows.Close()
	for row, err := rows.Next(ctx); err == nil; row, err = rows.Next(ctx) {
		show("row", row.Data)
	}
	count, err := rows.Wait(ctx) // the job's reply: how many there were
	check(err)
	show("rows", count.Data)

	_, err = runner.Run(ctx, "pg.query", asJSON(statement{SQL: "insert into people values (1, 'Ada')"}))
	var failed *palitra.JobError
	if duplicate, _ := strconv.ParseInt("23505", 36, 32); errors.As(err, &failed) && int64(failed.Code) == duplicate {
		show("duplicate", []byte(failed.Message)) // the code is the SQLSTATE, read in base 36
	}

	soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	_, err = runner.Run(soon, "pg.query", asJSON(statement{SQL: "select pg_sleep(60)"}))
	if !errors.Is(err, context.DeadlineExceeded) {
		log.Fatal(err)
	}
	// The server was told; the next query has the connection at once.
	run(ctx, runner, "after a timeout", "pg.query", asJSON(statement{SQL: "select 1 as one"}))
}

// Starts a job that sends items until it is cancelled, and shows the first: from there on nothing is missed.
func listen(ctx context.Context, runner *palitra.Runner, label, job, to string) *palitra.Token {
	token, err := runner.Submit(ctx, job, []byte(to))
	check(err)
	showNext(ctx, label, token)
	return token
}

func showNext(ctx context.Context, label string, token *palitra.Token) {
	item, err := token.Next(ctx)
	check(err)
	show(label, item.Data)
}

func notifications(ctx context.Context, runner *palitra.Runner) {
	listening := listen(ctx, runner, "listen", "pg.listen", "orders")
	defer listening.Close()
	run(ctx, runner, "notify", "pg.query", asJSON(statement{"select pg_notify('orders', $1)", []any{"7"}}))
	showNext(ctx, "notified", listening)
	check(listening.Cancel())
}

func messages(ctx context.Context, runner *palitra.Runner) {
	subscribed := listen(ctx, runner, "subscribe", "nats.subscribe", "orders.*")
	defer subscribed.Close()
	run(ctx, runner, "publish", "nats.publish", []byte("{\"subject\": \"orders.7\"}\npaid"))
	showNext(ctx, "message", subscribed)
	check(subscribed.Cancel())
}

func objects(ctx context.Context, runner *palitra.Runner) {
	content := bytes.Repeat([]byte("x"), 1<<20)
	payload := append([]byte("{\"path\": \"reports/one\"}\n"), content...) // JSON, a line feed, bytes
	run(ctx, runner, "write", "objects.write", payload)
	run(ctx, runner, "list", "objects.list", []byte("reports/"))

	reading, err := runner.Submit(ctx, "objects.read", []byte("reports/one"))
	check(err)
	defer reading.Close()
	var read []byte
	for chunk, err := reading.Next(ctx); err == nil; chunk, err = reading.Next(ctx) {
		read = append(read, chunk.Data...)
	}
	reply, err := reading.Wait(ctx)
	check(err)
	show("read", reply.Data)
	if !bytes.Equal(read, content) {
		log.Fatal("read is not what was written")
	}
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	runner, err := palitra.New(palitra.WithConfig(json.RawMessage(os.Getenv("SERVICES_CONFIG"))))
	check(err)
	defer runner.Close() // closes every connection
	postgres(ctx, runner)
	notifications(ctx, runner)
	run(ctx, runner, "set", "redis.command", asJSON([]any{"SET", "visits", 41}))
	run(ctx, runner, "incr", "redis.command", asJSON([]any{"INCR", "visits"}))
	messages(ctx, runner)
	objects(ctx, runner)
}
