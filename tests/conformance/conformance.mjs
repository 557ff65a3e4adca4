// The conformance scenarios through the Node package: carries out the steps of a file, prints what came of each.
//
// README.md tells the format and what each verb means. Called by tests/conformance.rs, after tests/node/conformance.sh:
//
//     node tests/conformance/conformance.mjs FILE
//
// It judges nothing and exits with 0 when it has come to the end of the file. A token is the job that `submit` returns, a
// thread a promise that nobody awaits yet. What a program in JavaScript cannot do, or cannot get wrong, is done by C
// functions beneath, and said there.

import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";

const built = new URL("../../target/node/conformance/", import.meta.url);
const palitra = await import(new URL("lib/index.js", built));
const beneath = createRequire(import.meta.url)(new URL("beneath.node", built).pathname);

const path = `${process.env.PALITRA_LIBRARY_DIR}/libpalitra_test_jobs.so`;
const library = palitra.load(path);
const { native } = library;

// A program never holds a token, and the package frees one as soon as its job has settled. Here they live to the end of
// their scenario.
const freeToken = native.free;
native.free = () => {};

// ---- outcomes

const nameOf = (status) => native.statusName(status).replace("PALITRA_", "");

function textOf(value) {
  if (value instanceof Uint8Array) return value.toString();
  return typeof value === "string" ? value : JSON.stringify(value);
}

const outcomeOf = (value) => `OK ${textOf(value)}`.trimEnd();

function failureOf(error) {
  if (!(error instanceof palitra.PalitraError)) throw error;
  const status = error.status.replace("PALITRA_", "");
  if (error instanceof palitra.BadPayloadError) return `${status} ${error.message}`;
  if (error instanceof palitra.JobError) return `${status} ${error.code} ${error.message}`.trimEnd();
  return error instanceof palitra.JobPanickedError ? `${status} ${error.message}` : status;
}

/** What a call that fills a reply came to. */
const reply = async (call) => {
  try {
    return outcomeOf(await call());
  } catch (error) {
    return failureOf(error);
  }
};

/** What a call that fills no reply came to. */
const status = async (call) => {
  try {
    await call();
    return "OK";
  } catch (error) {
    return failureOf(error);
  }
};

const milliseconds = (time) => Number.parseInt(time) * (time.endsWith("ms") ? 1 : 1000);
const payloadOf = (word) => (word === "-" ? new Uint8Array() : Buffer.from(word));

// ---- jobs of the program

class Notes {
  #left = [];
  #takers = [];

  leave(note) {
    if (this.#takers.length > 0) this.#takers.shift()(note);
    else this.#left.push(note);
  }

  take() {
    return this.#left.length > 0 ? this.#left.shift() : new Promise((resolve) => this.#takers.push(resolve));
  }
}

const notes = {
  of(job) {
    return (this[job] ??= new Notes());
  },
};

const jobs = {
  echo: (text) => text,
  fail: (text) => {
    throw new palitra.JobError(text, 7);
  },
  // The package answers a call once: the second answer is given beneath.
  twice: (text, { _handle: handle }) => {
    for (let i = 0; i < 2; i++) notes.of("host.twice").leave(nameOf(native.complete(handle, 0, 0, 1, text)));
  },
  // The package answers every call: this one is freed beneath.
  give_up: (_, { _handle: handle }) => native.freeCall(handle),
  wait: async (_, call) => {
    call.progress(1, 2);
    notes.of("host.wait").leave("CALLED");
    await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    notes.of("host.wait").leave("CANCELLED");
  },
  count: async function* (text) {
    for (let i = 0; i < Number(text); i++) yield String(i);
  },
};

// ---- what steps give names to

class Token {
  isBare = false;

  constructor(job) {
    this.job = job;
    this.handle = job._running.token;
    this.settled = job.then(outcomeOf, failureOf);
    this.settled.catch(() => {});
  }

  /** What the handle alone gives, once its job has been freed. */
  beneath() {
    native.poll(this.handle);
    return nameOf(native.out[0]);
  }

  async wait(time) {
    if (this.isBare) return this.beneath();
    if (time === undefined) return this.settled;
    let timer;
    const passed = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds(time), "PENDING")));
    return Promise.race([this.settled, passed]).finally(() => clearTimeout(timer));
  }

  async poll() {
    // The loop settles a job a moment after its token has finished.
    return this.beneath() === "PENDING" ? "PENDING" : this.wait();
  }

  async next() {
    this.items ??= this.job[Symbol.asyncIterator]();
    try {
      const { value, done } = await this.items.next();
      return done ? "END" : outcomeOf(value);
    } catch (error) {
      return failureOf(error);
    }
  }

  free() {
    this.isBare = true;
    freeToken(this.handle);
  }
}

// ---- the verbs

class Scenario {
  steps = 0;
  runners = new Map();
  tokens = new Map();
  threads = new Map();

  constructor(name) {
    this.name = name;
  }

  async carryOut(words) {
    const [verb, ...operands] = words;
    const named = {};
    while (/^[a-z_]+=/.test(operands.at(-1) ?? "")) {
      const [name, ...value] = operands.pop().split("=");
      named[name] = value.join("=");
    }
    try {
      return await this[verb](...operands, named);
    } catch (error) {
      return `error: ${error}`;
    }
  }

  async freeEverything() {
    for (const token of this.tokens.values()) token.free();
    for (const runner of this.runners.values()) await runner.close();
  }

  async runner(name, { max_in_flight = 0, max_payload = 0, config }) {
    return status(() => {
      const options = { library, maxInFlight: Number(max_in_flight), maxPayload: Number(max_payload), config };
      // A program gives a configuration as an object, which is always JSON.
      const { stringify } = JSON;
      JSON.stringify = (value) => (typeof value === "string" ? value : stringify(value));
      try {
        this.runners.set(name, new palitra.Runner(options));
      } finally {
        JSON.stringify = stringify;
      }
    });
  }

  alive(runner) {
    return String(this.runners.get(runner).isAlive());
  }

  async submit(name, runner, job, payload, { deadline }) {
    return status(() => {
      const timeout = deadline === undefined ? undefined : milliseconds(deadline);
      this.tokens.set(name, new Token(this.runners.get(runner).submit(job, payloadOf(payload), { timeout })));
    });
  }

  // What `gather` submits with: no call of the package returns the jobs.
  async submit_many(runner, ...words) {
    words.pop();
    const its = this.runners.get(runner);
    const jobs = [];
    for (let i = 0; i < words.length; i += 3) jobs.push(words.slice(i, i + 3));
    const tag = library.takeTags(jobs.length);
    const payloads = jobs.map(([, , payload]) => payloadOf(payload));
    const names = jobs.map(([, name]) => name);
    const tokens = native.submitMany(its.handle, names, payloads, 0, 1, 0, tag);
    const refusal = nameOf(native.out[0]);
    tokens.forEach((token, i) => this.tokens.set(jobs[i][0], new Token(new palitra.Job(its, token, tag + i))));
    return `${refusal} ${tokens.length}`;
  }

  async run(runner, job, payload, { timeout }) {
    const options = timeout === undefined ? {} : { timeout: milliseconds(timeout) };
    return reply(() => this.runners.get(runner).run(job, payloadOf(payload), options));
  }

  async wait(token, time) {
    return this.tokens.get(token).wait(typeof time === "string" ? time : undefined);
  }

  async poll(token) {
    return this.tokens.get(token).poll();
  }

  cancel(name) {
    const token = this.tokens.get(name);
    if (token.isBare) return nameOf(native.cancel(token.handle));
    token.job.cancel();
    return "OK";
  }

  async gather(...names) {
    names.pop();
    const failFast = names[0] === "fail_fast";
    const tokens = names.slice(failFast ? 1 : 0).map((name) => this.tokens.get(name));
    if (failFast) {
      await Promise.all(tokens.map((token) => token.job)).catch(() => {});
      for (const token of tokens) token.job.cancel();
    }
    return (await Promise.all(tokens.map((token) => token.wait()))).join(" | ");
  }

  async next(token) {
    return this.tokens.get(token).next();
  }

  async drain(name) {
    const items = [await this.tokens.get(name).next()];
    while (items.at(-1).startsWith("OK")) {
      items.push(items.pop().replace("OK ", ""), await this.tokens.get(name).next());
    }
    return items.join(" ");
  }

  progress(token) {
    const { done, total } = this.tokens.get(token).job.progress;
    return `OK ${done} ${total}`;
  }

  async free(name) {
    if (this.tokens.has(name)) this.tokens.get(name).free();
    else await this.runners.get(name).close();
    return "OK";
  }

  // Nobody can make a job or a runner of a number.
  forged(kind) {
    return nameOf(kind === "token" ? beneath.forgedToken() : beneath.forgedRunner());
  }

  async shutdown(runner, grace) {
    try {
      return (await this.runners.get(runner).shutdown({ grace: milliseconds(grace) })) ? "OK" : "PENDING";
    } catch (error) {
      return failureOf(error);
    }
  }

  async register(runner, job, does) {
    return status(() => this.runners.get(runner).register(job, jobs[does], { input: "text" }));
  }

  async note(job) {
    return notes.of(job).take();
  }

  // A promise is how a program is notified.
  async ready(token) {
    return this.wait(token);
  }

  // No function of JavaScript runs on the runner's thread.
  callback(token, _wait, other) {
    const [ended, text] = beneath.callback(this.tokens.get(token).handle, this.tokens.get(other).handle);
    return `${nameOf(ended)} ${ended === 0 ? text : ""}`.trimEnd();
  }

  thread(name, ...step) {
    step.pop();
    this.threads.set(name, this.carryOut(step));
    return "OK";
  }

  async join(name) {
    return this.threads.get(name);
  }

  fork(call, name) {
    const handle = { wait: () => this.tokens.get(name).handle, run: () => this.runners.get(name).handle }[call]?.();
    const ended = beneath.fork(call, handle ?? 0n);
    return ended < 0 ? `error: signal ${-ended}` : nameOf(ended);
  }
}

// ---- the file

let scenario = new Scenario("");
for (const line of readFileSync(process.argv[2], "utf8").split("\n").filter(Boolean)) {
  const words = line.split(" ");
  if (words[0] === "scenario") {
    await scenario.freeEverything();
    scenario = new Scenario(words[1]);
    continue;
  }
  scenario.steps++;
  writeSync(1, `${scenario.name}\t${scenario.steps}\t${await scenario.carryOut(words)}\n`);
}
await scenario.freeEverything();
