// The event loop, the workers of libuv, worker threads, and the end of a process.

import assert from "node:assert/strict";
import test from "node:test";

import { program } from "./helpers.mjs";

const start = `
  import { readdirSync } from "node:fs";
  import { stat } from "node:fs/promises";
  import { Worker, isMainThread } from "node:worker_threads";
  import { run, Runner, submit, stream, shutdownGlobalRunner } from "palitra";
  const never = () => run("palitra.sleep", { seconds: 3600 });
  const threads = () => readdirSync("/proc/self/task").length;
`;

const ends = async (text, options) => {
  const { code, signal, output, errors } = await program(start + text, options);
  return [code ?? signal, output, errors];
};

test("a thousand waiting jobs hold none of libuv's workers", async () => {
  const text = `
    const runner = new Runner();
    for (let i = 0; i < 1000; i++) runner.submit("palitra.sleep", { seconds: 3600 });
    await stat("/");
    const { running, queued } = runner.stats(); // Of one moment: jobs go from one to the other.
    console.log(running + queued, threads() < 20);
    process.exit();
  `;
  assert.deepEqual(await ends(text, { env: { UV_THREADPOOL_SIZE: "1" } }), [0, "1000 true\n", ""]);
});

test("timers have their turn while jobs finish by the thousands", async () => {
  const text = `
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const more = async () => { for (let i = 0; i < 2000; i++) await run("palitra.sleep", { seconds: 0 }); };
    await Promise.all(Array.from({ length: 50 }, more));
    clearInterval(timer);
    console.log(turns > 20);
  `;
  assert.deepEqual(await ends(text), [0, "true\n", ""]);
});

test("a pending job keeps the process alive, an idle runner does not", async () => {
  const text = `run("palitra.sleep", { seconds: 0.2 }).then(() => console.log("done"));`;
  assert.deepEqual(await ends(text), [0, "done\n", ""]);
  assert.deepEqual(await ends(`new Runner(); await run("palitra.echo");`), [0, "", ""]);
});

test("a runner that only its jobs need lives as long as they do, and no longer", async () => {
  const text = `
    import { runnerFor, until } from "./helpers.mjs";
    const made = [];
    const start = (how) => {
      const runner = runnerFor({ after() {} });
      made.push(new WeakRef(runner));
      return how(runner);
    };
    const sleep = ["palitra.sleep", { seconds: 0.5 }];
    const later = () => new Promise((resolve) => setTimeout(() => resolve("later"), 500));
    const slowly = async function* () { yield await later(); };
    const all = Promise.allSettled([
      start((runner) => runner.run(...sleep)),
      start((runner) => runner.submit(...sleep)),
      start((runner) => runner.gather([sleep, sleep])),
      start((runner) => (runner.register("host.items", slowly), runner.stream("host.items").next())),
      start((runner) => (runner.register("host.later", later), runner.run("host.later"))),
    ]);
    const timer = setInterval(gc, 20);
    for (const { value, reason } of await all) console.log(JSON.stringify(value) ?? String(reason));
    clearInterval(timer);
    await until(() => (gc(), made.every((runner) => runner.deref() === undefined)));
  `;
  const slept = '{"seconds":0.5}';
  const replies = [slept, slept, `[${slept},${slept}]`, '{"value":"later","done":false}', '"later"'];
  assert.deepEqual(await ends(text), [0, replies.map((reply) => `${reply}\n`).join(""), ""]);
});

test("a call that is not answered keeps the process alive until it is aborted", async () => {
  const text = `
    const runner = new Runner();
    let called, aborted;
    runner.register("host.wait", (_, call) => {
      called();
      return new Promise(() => call.signal.addEventListener("abort", aborted));
    });
    for (let i = 0; i < 100; i++) {
      const isCalled = new Promise((resolve) => (called = resolve));
      const isAborted = new Promise((resolve) => (aborted = resolve));
      const job = runner.submit("host.wait");
      await isCalled;
      job.cancel();
      await job.catch(() => {});
      await isAborted;
    }
    console.log("aborted");
  `;
  assert.deepEqual(await ends(text), [0, "aborted\n", ""]);
});

test("a process may exit with jobs in flight", async () => {
  assert.deepEqual(await ends(`never(); stream("http.stream", { url: "http://127.0.0.1:9" }); process.exit(3);`), [
    3,
    "",
    "",
  ]);
  assert.deepEqual(await ends(`never(); setTimeout(() => process.exit(4), 50);`), [4, "", ""]);
});

test("a pending shutdown keeps the process alive, but hinders neither its exit nor a worker's end", async () => {
  const waits = `
    const runner = new Runner();
    run("palitra.sleep", { seconds: 0.1 });
    runner.submit("palitra.sleep", { seconds: 0.2 }).then(() => console.log("slept"));
    Promise.all([runner.shutdown({ grace: 20_000 }), runner.shutdown({ grace: 20_000 })]).then(console.log);
  `;
  assert.deepEqual(await ends(waits), [0, "slept\n[ true, true ]\n", ""]);
  const hold = `
    const runner = new Runner();
    runner.run("palitra.sleep", { seconds: 3600 }).catch(() => {});
    runner.shutdown({ grace: 20_000 });
    runner.close({ grace: 20_000 });
  `;
  const begun = Date.now();
  assert.deepEqual(await ends(`${hold} setTimeout(() => process.exit(6), 50);`), [6, "", ""]);
  const text = `
    import { parentPort } from "node:worker_threads";
    if (isMainThread) {
      const before = threads();
      for (const way of ["terminate", "exit", "throw"]) {
        const worker = new Worker(new URL(import.meta.url), { argv: [way] });
        worker.on("error", () => {});
        const end = new Promise((resolve) => worker.once("exit", resolve));
        worker.once("message", () => worker.terminate());
        await end;
      }
      console.log(threads() - before);
    } else {
      ${hold}
      setTimeout(() => {
        if (process.argv[2] === "exit") process.exit();
        if (process.argv[2] === "throw") throw new Error("uncaught");
        parentPort.postMessage("begun");
      }, 50);
    }
  `;
  assert.deepEqual(await ends(text), [0, "0\n", ""]);
  assert.ok(Date.now() - begun < 15_000, "the grace period was waited for");
});

test("Ctrl-C ends a process that waits for a job", async () => {
  const onOutput = (child) => child.kill("SIGINT");
  assert.deepEqual(await ends(`console.log("waits"); await never();`, { onOutput }), ["SIGINT", "waits\n", ""]);
});

test("a failure that nobody handles ends the process, as any rejection", async () => {
  const [code, , errors] = await ends(
    `submit("palitra.sleep", []); await new Promise((ready) => setTimeout(ready, 1000));`,
  );
  assert.equal(code, 1);
  assert.match(errors, /BadPayloadError/);
});

test("a thrown callback of a job is uncaught and ends the process", async () => {
  const [code, , errors] = await ends(
    `run("palitra.sleep", { seconds: 0.01 }).then(() => { throw new Error("mine"); });`,
  );
  assert.equal(code, 1);
  assert.match(errors, /mine/);
});

test("workers have runners of their own, which end with them", async () => {
  const text = `
    await run("palitra.echo");
    await new Worker(new URL("worker.mjs", import.meta.url)).terminate();
    const before = threads();
    for (let round = 0; round < 5; round++) {
      const workers = Array.from({ length: 4 }, () => new Worker(new URL("worker.mjs", import.meta.url)));
      await Promise.all(workers.map((worker) => new Promise((ready) => worker.once("message", ready))));
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
    console.log(threads() - before, String(await run("palitra.echo", "the main thread's lives on")));
  `;
  assert.deepEqual(await ends(text), [0, "0 the main thread's lives on\n", ""]);
});

test("a worker that is terminated leaves no payload and no reply behind", async () => {
  const text = `
    import { readFileSync } from "node:fs";
    import { once } from "node:events";
    import { parentPort, workerData } from "node:worker_threads";
    const big = Buffer.alloc(16 << 20, 1);
    const say = () => parentPort.postMessage("ready");
    const ways = {
      answering: (runner) => runner.run("host.big", big),
      // The function goes on after its job.
      cancelled: (runner) => runner.run("host.big", big, { timeout: 100 }).catch(say),
      finished: (runner) => {
        runner.submit("palitra.echo", big);
        while (runner.stats().succeeded === 0);
        say();
        for (;;);
      },
    };
    const megabytes = () => (readFileSync("/proc/self/statm", "utf8").split(" ")[1] * 4096) / 1e6;
    const rounds = async (way, n) => {
      for (let round = 0; round < n; round++) {
        const worker = new Worker(new URL(import.meta.url), { workerData: way });
        await once(worker, "message");
        await worker.terminate();
      }
    };
    if (isMainThread) {
      for (const way of Object.keys(ways)) {
        await rounds(way, 3);
        const before = megabytes();
        await rounds(way, 6);
        const grown = megabytes() - before;
        console.log(way, grown < 40 || grown);
      }
    } else {
      const runner = new Runner();
      const took = () => (workerData === "answering" && say(), new Promise(() => {}));
      runner.register("host.big", took, { input: "bytes" });
      ways[workerData](runner);
    }
  `;
  assert.deepEqual(await ends(text), [0, "answering true\ncancelled true\nfinished true\n", ""]);
});
