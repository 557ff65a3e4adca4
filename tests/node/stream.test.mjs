// Streams: order, back-pressure, failures, and readers that leave.

import assert from "node:assert/strict";
import test from "node:test";

import { program, runnerFor, until } from "./helpers.mjs";

const read = async (items) => {
  const all = [];
  for await (const item of items) all.push(String(item));
  return all;
};

const numbers = (n) => Array.from({ length: n }, (_, i) => String(i));

test("every item arrives in order, however many there are", async (t) => {
  const runner = runnerFor(t);
  assert.deepEqual(await read(runner.stream("test.stream", { items: 5000 })), numbers(5000));
  const job = runner.submit("test.stream", { items: 40 }, { streamItems: 1 });
  assert.deepEqual(await read(job), numbers(40));
  await job;
});

test("items that were sent before the reader came are there, also when the job has ended", async (t) => {
  const runner = runnerFor(t);
  const job = runner.submit("test.stream", { items: 3 });
  await job;
  assert.deepEqual(await read(job), numbers(3));
});

test("a failure is thrown after the items before it", async (t) => {
  const runner = runnerFor(t);
  const items = runner.stream("test.stream", { items: 3, fail_at: 1 });
  assert.equal(String((await items.next()).value), "0");
  await assert.rejects(items.next(), { name: "JobError", code: 7 });
});

test("a job waits for a slow reader", async (t) => {
  const runner = runnerFor(t);
  const job = runner.submit("test.stream", { items: 40 });
  await runner.run("palitra.sleep", { seconds: 0.05 });
  assert.equal(runner.stats().running, 1);
  assert.deepEqual(await read(job), numbers(40));
});

test("leaving the loop cancels the job", async (t) => {
  const runner = runnerFor(t);
  for await (const item of runner.stream("test.stream", { items: 1000 })) {
    if (String(item) === "3") break;
  }
  await until(() => runner.stats().cancelled === 1);
});

test("an aborted signal ends the loop with its reason", async (t) => {
  const runner = runnerFor(t);
  const gone = new AbortController();
  const items = runner.stream("test.stream", { items: 1000 }, { signal: gone.signal });
  await items.next();
  gone.abort(new Error("gone"));
  await assert.rejects(read(items), /gone/);
});

test("a stream whose job was forgotten does not wait for a reader forever", async () => {
  const { code, output, errors } = await program(`
    import { runnerFor, until } from "./helpers.mjs";
    const runner = runnerFor({ after() {} });
    runner.submit("test.stream", { items: 1000 }).catch(() => {});
    await until(() => (gc(), runner.stats().cancelled === 1));
    console.log("cancelled");
  `);
  assert.deepEqual([code, output, errors], [0, "cancelled\n", ""]);
});
