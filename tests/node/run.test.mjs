// One job and many, on a runner and on the global one: replies, failures, limits, cancellation.

import assert from "node:assert/strict";
import test from "node:test";

import * as palitra from "palitra";
import { runnerFor, testJobs, until } from "./helpers.mjs";

test("a payload and a reply follow the format of the job", async () => {
  const echo = await palitra.run("palitra.echo", "grüße");
  assert.ok(Buffer.isBuffer(echo));
  assert.equal(echo.toString(), "grüße");
  assert.deepEqual(await palitra.run("palitra.echo", new Uint8Array([0, 255])), Buffer.from([0, 255]));
  assert.deepEqual(await palitra.run("palitra.echo", new Uint16Array([258])), Buffer.from([2, 1]));
  assert.deepEqual(await palitra.run("palitra.echo", new Uint8Array([1, 2]).buffer), Buffer.from([1, 2]));
  assert.deepEqual(await palitra.run("palitra.sleep", { seconds: 0 }), { seconds: 0 });
  assert.deepEqual(await palitra.run("palitra.sleep", Buffer.from('{"seconds":0}')), { seconds: 0 });
  await assert.rejects(palitra.run("palitra.echo", 7), TypeError);
  await assert.rejects(
    palitra.run("palitra.sleep", () => {}),
    TypeError,
  );
});

test("a payload of megabytes comes back whole", async () => {
  const large = Buffer.alloc(8 << 20, "palitra");
  assert.ok(large.equals(await palitra.run("palitra.echo", large)));
  assert.equal((await palitra.run("palitra.echo", "ä".repeat(1 << 20))).length, 2 << 20);
});

test("every failure has its class, its status and its message", async (t) => {
  const runner = runnerFor(t);
  const failure = await runner.run("test.fail", { code: 404, message: "missing" }).catch((error) => error);
  assert.ok(failure instanceof palitra.JobError && failure instanceof palitra.PalitraError);
  assert.deepEqual([failure.name, failure.code, failure.message], ["JobError", 404, "missing"]);
  assert.equal(failure.status, "PALITRA_JOB_FAILED");
  await assert.rejects(runner.run("palitra.sleep", []), { name: "BadPayloadError", status: "PALITRA_BAD_PAYLOAD" });
  await assert.rejects(runner.run("test.panic", "boom"), { name: "JobPanickedError", message: "boom" });
  await assert.rejects(runner.run("palitra.eko"), { name: "UnknownJobError", message: /nearest is "palitra\.echo"/ });
  assert.throws(() => runner.submit("palitra.eko"), {
    name: "UnknownJobError",
    message: /nearest is "palitra\.echo"/,
  });
  await assert.rejects(runner.gather([["palitra.echo"], ["palitra.eko"]]), { name: "UnknownJobError" });
});

test("a runner has the limits of its options", async (t) => {
  const runner = runnerFor(t, { maxInFlight: 1, maxPayload: 4, name: "mine" });
  const first = runner.submit("test.never");
  await assert.rejects(runner.run("palitra.echo"), { name: "BusyError" });
  first.cancel();
  await assert.rejects(async () => first, { name: "CancelledError" });
  await until(() => runner.stats().running === 0);
  await assert.rejects(runner.run("palitra.echo", "12345"), { name: "TooLargeError" });
  assert.throws(() => new palitra.Runner({ maxInFlight: -1 }), /maxInFlight is a count, not -1/);
  assert.throws(() => new palitra.Runner({ maxPayload: "4" }), RangeError);
  assert.throws(() => new palitra.Runner({ name: "a\0b" }), /contains a NUL/);
  assert.throws(() => runner.submit("palitra.echo\0"), /contains a NUL/);
  assert.throws(() => new palitra.Runner({ workerThreads: 1e6 }), palitra.InvalidArgumentError);
});

test("a timeout cancels the job, also one that never yields", async (t) => {
  const runner = runnerFor(t);
  await assert.rejects(runner.run("test.never", undefined, { timeout: 10 }), { name: "TimeoutError" });
  await assert.rejects(runner.run("test.spin", { seconds: 0.2 }, { timeout: 10 }), { name: "TimeoutError" });
  await assert.rejects(runner.run("palitra.echo", "", { timeout: -1 }), RangeError);
  await assert.rejects(runner.run("palitra.echo", "", { timeout: "1" }), RangeError);
  assert.equal(String(await runner.run("palitra.echo", "x", { timeout: Infinity })), "x");
});

test("an aborted signal cancels the job and is the reason", async (t) => {
  const runner = runnerFor(t);
  const reason = new Error("the client has gone");
  const gone = new AbortController();
  const running = runner.run("test.never", undefined, { signal: gone.signal });
  const together = runner.gather([["test.never"], ["test.never"]], { signal: gone.signal });
  setTimeout(() => gone.abort(reason), 10);
  await assert.rejects(running, reason);
  await assert.rejects(together, reason);
  await assert.rejects(runner.run("palitra.echo", "", { signal: gone.signal }), reason);
  await until(() => runner.stats().cancelled === 3);
});

test("a signal has one listener, however many jobs obey it, and none of those that have ended", async (t) => {
  const runner = runnerFor(t);
  const { signal } = new AbortController();
  let listeners = 0;
  let most = 0;
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  signal.addEventListener = (...given) => {
    most = Math.max(most, ++listeners);
    addEventListener.apply(signal, given);
  };
  signal.removeEventListener = (...given) => (listeners--, removeEventListener.apply(signal, given));
  const run = () => runner.run("test.nested", "x", { signal });
  await Promise.all(Array.from({ length: 50 }, run));
  assert.deepEqual([most, listeners], [1, 0]);
  await runner.gather([["test.nested", "x"]], { signal });
  assert.equal(listeners, 0);
});

test("a gather keeps the order, and says which failed", async (t) => {
  const runner = runnerFor(t);
  const jobs = [
    ["palitra.sleep", { seconds: 0.02 }],
    ["test.fail", { code: 1, message: "no" }],
    ["palitra.echo", "c"],
  ];
  await assert.rejects(runner.gather(jobs), { name: "JobError", code: 1 });
  const outcomes = await runner.gather(jobs, { settled: true });
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.deepEqual(await runner.gather([]), []);
  const many = Array.from({ length: 10_000 }, (_, i) => ["palitra.echo", String(i)]);
  assert.deepEqual(
    (await runner.gather(many)).map(String),
    many.map(([, payload]) => payload),
  );
});

test("a fail-fast gather cancels the rest at the first failure", async (t) => {
  const runner = runnerFor(t);
  const jobs = [["test.never"], ["test.fail", { code: 1, message: "no" }], ["test.never"]];
  await assert.rejects(runner.gather(jobs, { failFast: true }), { code: 1 });
  await until(() => runner.stats().cancelled === 2);
});

test("a submitted job can be awaited, cancelled and asked for its progress", async (t) => {
  const runner = runnerFor(t);
  const job = runner.submit("test.progress", {
    steps: [
      [1, 4],
      [3, 4],
    ],
    finish: true,
  });
  await job;
  await job;
  assert.deepEqual(job.progress, { done: 3, total: 4 });
  const never = runner.submit("test.never");
  assert.deepEqual(never.progress, { done: 0, total: 0 });
  never.cancel();
  never.cancel();
  await assert.rejects(async () => never, { name: "CancelledError" });
});

test("a runner that was shut down refuses, and one that was closed is gone", async () => {
  const runner = new palitra.Runner({ library: testJobs });
  const running = runner.submit("palitra.sleep", { seconds: 0.05 });
  assert.equal(await runner.shutdown({ grace: 60_000 }), true);
  assert.deepEqual(await running, { seconds: 0.05 });
  assert.equal(runner.isAlive(), false);
  await assert.rejects(runner.run("palitra.echo"), { name: "ShutDownError" });
  await runner.close();
  await runner.close();
  await assert.rejects(runner.run("palitra.echo"), { name: "InvalidHandleError" });
  assert.throws(() => runner.stats(), { name: "InvalidHandleError" });
});

test("the global runner is made anew after its shutdown", async () => {
  await palitra.run("palitra.echo");
  assert.equal(palitra.isRunnerAlive(), true);
  assert.equal(await palitra.shutdownGlobalRunner(), true);
  assert.equal(palitra.isRunnerAlive(), false);
  assert.equal(String(await palitra.run("palitra.echo", "again")), "again");
  assert.deepEqual(palitra.runSync("palitra.sleep", { seconds: 0.01 }), { seconds: 0.01 });
  assert.throws(() => palitra.runSync("palitra.sleep", { seconds: 60 }, { timeout: 10 }), { name: "TimeoutError" });
});

test("a configuration reaches the states of the jobs", async (t) => {
  const runner = runnerFor(t, { config: { "test.configured": { text: "given" } } });
  assert.equal(String(await runner.run("test.configured")), "given");
});

test("jobs describe themselves", () => {
  assert.deepEqual(palitra.describeJob("palitra.echo").reply, { format: "bytes" });
  const names = palitra.jobs().map(({ name }) => name);
  assert.deepEqual(
    palitra.describeJobs().jobs.map(({ name }) => name),
    names,
  );
  assert.throws(() => palitra.describeJob("palitra.eko"), { name: "UnknownJobError" });
});

test("a failure hands out the details that the job gave it", async (t) => {
  const runner = runnerFor(t);
  const failure = await runner
    .run("test.fail", { code: 1, message: "no", details: { field: "name" } })
    .catch((error) => error);
  assert.deepEqual([failure.name, failure.details], ["JobError", { field: "name" }]);
});

test("what is no library is refused with a reason", () => {
  assert.throws(() => palitra.load("/nowhere/libpalitra.so"), /cannot open shared object file/);
  assert.throws(() => palitra.load("libc.so.6"), /not a library of palitra/);
});
