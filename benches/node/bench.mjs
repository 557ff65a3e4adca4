// palitra from Node beside Node's own ways, in turns: `make bench-node`.
//
// A figure is the median over the rounds; a ratio is the median of the rival's figure divided by palitra's of the same
// round, so above 1 palitra is faster. Run from a folder whose node_modules has palitra and koffi.

import { createServer } from "node:http";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";

import koffi from "koffi";
import { gather, Runner, run } from "palitra";

const ROUNDS = 15;
const library = koffi.load(`${process.env.PALITRA_LIBRARY_DIR}/libpalitra.so`);
const version = library.func("uint32_t palitra_abi_version(void)");
const bare = () => new Promise((resolve) => version.async((_, value) => resolve(value)));
const turn = () => new Promise((resolve) => setImmediate(resolve));

const server = createServer((_, response) => response.end("x".repeat(100))).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const url = `http://127.0.0.1:${server.address().port}/`;
server.unref();

const each = async (n, call) => {
  for (let i = 0; i < n; i++) await call();
};
const together = (n, call) => Promise.all(Array.from({ length: n }, call));
const jobs = Array.from({ length: 100 }, () => ["palitra.echo", "x"]);
const inTurns = async (n, width, call) => together(width, () => each(n / width, call));
const get = async () => (await fetch(url)).text();

const rows = [
  [
    "a ready job, awaited",
    2000,
    () => each(2000, () => run("palitra.echo", "x")),
    "a koffi async call",
    () => each(2000, bare),
  ],
  [
    "a ready job, awaited",
    2000,
    () => each(2000, () => run("palitra.echo", "x")),
    "setImmediate",
    () => each(2000, turn),
  ],
  [
    "a gather of 100",
    20,
    () => each(20, () => gather(jobs)),
    "100 koffi async calls",
    () => each(20, () => together(100, bare)),
  ],
  ["http.bytes, 1 in flight", 200, () => each(200, () => run("http.bytes", { url })), "fetch", () => each(200, get)],
  [
    "http.bytes, 64 in flight",
    640,
    () => inTurns(640, 64, () => run("http.bytes", { url })),
    "fetch",
    () => inTurns(640, 64, get),
  ],
];

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const timed = async (n, work) => {
  const start = performance.now();
  await work();
  return ((performance.now() - start) * 1000) / n;
};

console.log("| palitra | us | rival | us | ratio |\n|---|---|---|---|---|");
for (const [name, n, own, rival, theirs] of rows) {
  const times = [];
  await timed(n, own);
  await timed(n, theirs);
  for (let round = 0; round < ROUNDS; round++) {
    const first = round % 2 === 0 ? [own, theirs] : [theirs, own];
    const pair = [await timed(n, first[0]), await timed(n, first[1])];
    times.push(round % 2 === 0 ? pair : pair.reverse());
  }
  const [mine, other] = [0, 1].map((side) => median(times.map((pair) => pair[side])));
  const ratio = median(times.map(([a, b]) => b / a));
  console.log(`| ${name} | ${mine.toFixed(1)} | ${rival} | ${other.toFixed(1)} | ${ratio.toFixed(2)} |`);
}

const runner = new Runner();
const sleeping = Array.from({ length: 1000 }, () => runner.submit("palitra.sleep", { seconds: 3600 }));
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
await new Promise((resolve) => setTimeout(resolve, 2000));
delay.disable();
const lag = delay.percentile(99) / 1e6 - 1;
console.log(`\nwhile 1,000 jobs sleep, the lag of a 1 ms timer, 99th percentile: ${lag.toFixed(2)} ms (goal: below 5)`);
for (const job of sleeping) job.cancel();
await runner.close();
