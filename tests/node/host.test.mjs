// Jobs of the program, called by itself, by jobs of the library, and with every way to end.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import test from "node:test";

import { JobError, Runner } from "palitra";
import { program, runnerFor, until } from "./helpers.mjs";

test("a function is a job: what it resolves to is the reply, by its type", async (t) => {
  const runner = runnerFor(t);
  runner.register("host.sum", async ({ numbers }) => numbers.reduce((a, b) => a + b, 0));
  runner.register("host.upper", (text) => text.toUpperCase(), { input: "text" });
  runner.register("host.bytes", (bytes) => bytes.reverse(), { input: "bytes" });
  runner.register("host.nothing", () => {});
  assert.equal(await runner.run("host.sum", { numbers: [1, 2, 3] }), 6);
  assert.equal(await runner.run("host.upper", "grüße"), "GRÜSSE");
  assert.deepEqual([...(await runner.run("host.bytes", new Uint8Array([1, 2, 3])))], [3, 2, 1]);
  assert.equal((await runner.run("host.nothing")).length, 0);
  await assert.rejects(runner.run("host.sum", Buffer.from("{")), { name: "BadPayloadError" });
});

test("what a function throws is the job's failure", async (t) => {
  const runner = runnerFor(t);
  runner.register("host.code", () => Promise.reject(new JobError("no such user", 404)));
  runner.register("host.bug", () => null.x);
  runner.register("host.unfit", () => Symbol("unfit"));
  await assert.rejects(runner.run("host.code"), { name: "JobError", code: 404, message: "no such user" });
  await assert.rejects(runner.run("host.bug"), { name: "JobError", code: 0, message: /TypeError/ });
  await assert.rejects(runner.run("host.unfit"), { name: "JobError", message: /cannot reply with a symbol/ });
  runner.register("host.any_code", (code) => Promise.reject(new JobError("sold out", code)), { input: "json" });
  await assert.rejects(runner.run("host.any_code", -(2 ** 31)), { code: -(2 ** 31), message: "sold out" });
  for (const code of [2 ** 31, 1.5, "E7"]) {
    const message = `sold out (its code ${JSON.stringify(code)} is no 32-bit number)`;
    await assert.rejects(runner.run("host.any_code", code), { code: 0, message });
  }
});

test("a generator's items are the job's, at the pace of their reader", async (t) => {
  const runner = runnerFor(t);
  let made = 0;
  let isClosed = false;
  runner.register("host.count", async function* (n) {
    try {
      for (; made < n; made++) yield made;
    } finally {
      isClosed = true;
    }
  });
  const items = runner.stream("host.count", 1000);
  assert.equal((await items.next()).value, 0);
  await runner.run("palitra.sleep", { seconds: 0.05 });
  assert.ok(made < 40, `${made} items were made for a reader of one`);
  let last;
  for await (const item of items) last = item;
  assert.deepEqual([last, isClosed], [999, true]);

  made = 0;
  isClosed = false;
  for await (const item of runner.stream("host.count", 1e9)) if (item === 100) break;
  await until(() => isClosed);
});

test("items that are sent without waiting for one another are read in order, also by several reads", async (t) => {
  const runner = runnerFor(t);
  const numbers = (n) => Array.from({ length: n }, (_, i) => i);
  let sent;
  runner.register("host.rows", async (n, call) => {
    sent = await Promise.all(numbers(n).map((i) => call.send(i)));
  });
  const items = runner.stream("host.rows", 200);
  const read = await Promise.all(numbers(201).map(() => items.next()));
  assert.deepEqual(
    read.map(({ value }) => value),
    [...numbers(200), undefined],
  );
  await until(() => sent !== undefined);
  assert.deepEqual(sent, Array(200).fill(true));
  const slow = [];
  for await (const item of runner.stream("host.rows", 40)) slow.push(item);
  assert.deepEqual(slow, numbers(40));
});

test("a call knows when its answer is not needed any more", async (t) => {
  const runner = runnerFor(t);
  const begun = new Set();
  const ended = new Set();
  runner.register("host.wait", async (name, call) => {
    begun.add(name);
    call.progress(1, 2);
    await once(call.signal, "abort");
    call.progress(2, 2);
    if (!(await call.send("late"))) ended.add(name);
  });
  const cancelled = runner.submit("host.wait", "cancelled");
  await until(() => cancelled.progress.done === 1);
  cancelled.cancel();
  // It may pass before anybody takes the call, on a busy machine: then once more.
  for (let timeout = 20; !begun.has("timeout") && timeout < 10_000; timeout *= 10)
    await assert.rejects(runner.run("host.wait", "timeout", { timeout }), { name: "TimeoutError" });
  const shut = runner.submit("host.wait", "shut down");
  await until(() => shut.progress.done === 1);
  const rejected = assert.rejects(async () => shut, { name: "CancelledError" });
  await runner.shutdown();
  await rejected;
  await until(() => ended.size === 3);
  assert.deepEqual([...ended], ["cancelled", "timeout", "shut down"]);
});

test("a registered job stands before the library's, on its own runner alone", async (t) => {
  const [runner, other] = [runnerFor(t), runnerFor(t)];
  runner.register("palitra.echo", () => "fake", { input: "bytes" });
  assert.equal(String(await runner.run("palitra.echo", "x")), "fake");
  assert.equal(String(await other.run("palitra.echo", "x")), "x");
  assert.throws(() => runner.register("palitra.echo", () => {}), { name: "InvalidArgumentError", message: /already/ });
  assert.throws(() => runner.register("", () => {}), { name: "InvalidArgumentError" });
  assert.throws(() => runner.register("a", () => {}, { input: "xml" }), TypeError);
});

test("many calls are answered side by side", async (t) => {
  const runner = runnerFor(t);
  runner.register("host.later", async (n) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return n;
  });
  const jobs = Array.from({ length: 2000 }, (_, n) => ["host.later", n]);
  assert.deepEqual(
    await runner.gather(jobs),
    jobs.map(([, n]) => n),
  );
});

test("a request's body may come from a generator of the program", async (t) => {
  const runner = new Runner();
  t.after(() => runner.close());
  const server = createServer(async (request, response) => {
    let length = 0;
    for await (const chunk of request) length += chunk.length;
    response.end(String(length));
  }).listen(0, "127.0.0.1");
  t.after(() => (server.closeAllConnections(), server.close()));
  await once(server, "listening");
  runner.register("host.body", async function* ({ chunks }) {
    for (let i = 0; i < chunks; i++) yield Buffer.alloc(64 << 10);
  });
  const url = `http://127.0.0.1:${server.address().port}/`;
  const request = { method: "PUT", url, body_from: { job: "host.body", payload: { chunks: 64 } } };
  const { status, body } = await runner.run("http.request", request);
  assert.deepEqual([status, body], [200, String(64 * (64 << 10))]);
});

test("a registration alone does not keep the process alive, and calls in flight do not hinder its exit", async () => {
  const text = `
    import { runnerFor } from "./helpers.mjs";
    const runner = runnerFor({ after() {} });
    runner.register("host.never", () => new Promise(() => {}));
    console.log(String(await runner.run("palitra.echo", "idle")));
  `;
  assert.deepEqual(await program(text), { code: 0, signal: null, output: "idle\n", errors: "" });
  const exits = `${text} runner.run("host.never").catch(() => {}); setTimeout(() => process.exit(5), 50);`;
  assert.deepEqual(await program(exits), { code: 5, signal: null, output: "idle\n", errors: "" });
});
