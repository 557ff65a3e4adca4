// A worker thread with jobs in flight on two runners of its own, for tests/node/process.test.mjs.

import { parentPort } from "node:worker_threads";
import { run, Runner } from "palitra";

parentPort.postMessage(String(await run("palitra.echo", "from a worker")));
const forever = { seconds: 3600 };
await Promise.all([run("palitra.sleep", forever), new Runner().run("palitra.sleep", forever)]);
