// A handler of Express: its client's disconnect cancels the job.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";

import express from "express";
import { run } from "palitra";
import { runnerFor, until } from "./helpers.mjs";

test("a handler whose client disconnects cancels its job", async (t) => {
  const runner = runnerFor(t);
  const app = express();
  app.get("/echo/:text", async (request, response) => {
    response.send(await runner.run("palitra.echo", request.params.text));
  });
  app.get("/never", async (request, response) => {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    await runner.run("test.never", undefined, { signal: gone.signal }).catch(() => {});
    response.end();
  });
  app.get("/missing", async (request, response) => {
    await runner.run("test.fail", { code: 404, message: "missing" });
    response.end();
  });
  app.use((error, request, response, _next) => response.status(error.code).send(error.message));
  const server = app.listen(0, "127.0.0.1");
  t.after(() => (server.closeAllConnections(), server.close()));
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;

  assert.equal(await (await fetch(`${url}/echo/hello`)).text(), "hello");
  const refused = await fetch(`${url}/missing`);
  assert.deepEqual([refused.status, await refused.text()], [404, "missing"]);
  const gone = new AbortController();
  const waiting = fetch(`${url}/never`, { signal: gone.signal });
  await until(() => runner.stats().running === 1);
  gone.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  await until(() => runner.stats().cancelled === 1);
});

test("the HTTP jobs fetch what a server of Node sends", async (t) => {
  const app = express();
  app.use(express.json());
  app.post("/", (request, response) => response.json({ got: request.body, type: request.get("content-type") }));
  const server = app.listen(0, "127.0.0.1");
  t.after(() => (server.closeAllConnections(), server.close()));
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}/`;
  const page = await run("http.request", {
    method: "POST",
    url,
    headers: { "content-type": "application/json" },
    body: '{"a":1}',
  });
  assert.deepEqual([page.status, JSON.parse(page.body).got], [200, { a: 1 }]);
});
