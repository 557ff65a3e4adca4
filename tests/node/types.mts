// What tests/node/types.test.mjs has tsc check. An expected error that is none is an error.

import { gather, type Job, JobError, load, Runner, run, stream, submit, TimeoutError } from "palitra";

await using runner = new Runner({ library: load("libjobs.so"), maxInFlight: 3, config: { pool: { size: 2 } } });
const page: { status: number } = await runner.run(
  "http.get",
  { url: "" },
  { timeout: 5, signal: new AbortController().signal },
);
const [first]: string[] = await gather([["a", "x"], ["b"]], { failFast: true });
const outcomes: PromiseSettledResult<string>[] = await runner.gather([["a"]], { settled: true });
const job: Job = submit("a", new Uint8Array());
const [done, total]: [number, number] = [job.progress.done, job.progress.total];
for await (const item of stream("a")) console.log(item, await job, page, first, outcomes, done, total);
try {
  await run("a");
} catch (error) {
  if (error instanceof JobError) error.code.toFixed();
  if (error instanceof TimeoutError) error.status.toUpperCase();
}

// @ts-expect-error the name is a string
await run(7);
// @ts-expect-error a function is no payload
submit("a", Symbol());
// @ts-expect-error a timeout is a number
await run("a", "", { timeout: "5" });
// @ts-expect-error no such option
new Runner({ max_in_flight: 3 });
// @ts-expect-error jobs come in pairs
await gather(["a"]);
