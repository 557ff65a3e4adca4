// A runner: a background thread of the library that runs jobs.

import { nanoseconds, PENDING } from "./abi.js";
import { register } from "./call.js";
import { Job, start, startMany } from "./job.js";
import { shippedLibrary } from "./library.js";
import { obey } from "./signals.js";

const names = ["threads", "submitted", "running", "queued", "succeeded", "failed", "panicked", "cancelled", "deadline"];

/** Frees the runners that nobody closed, once neither the program nor a job in flight refers to them. */
const registry = new FinalizationRegistry(({ library, handle }) => void library.native.shutDown(handle, 0, true));

export class Runner {
  #handle;
  #library;
  /** What the program's own jobs take, by their names. */
  #registered = new Map();

  constructor(options = {}) {
    const { library = shippedLibrary(), workerThreads = 0, maxBlockingThreads = 0 } = options;
    const { maxInFlight = 0, maxPayload = 0, name = "palitra", config } = options;
    const counts = Object.entries({ workerThreads, maxBlockingThreads, maxInFlight, maxPayload });
    for (const [option, count] of counts) {
      if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`${option} is a count, not ${count}`);
    }
    const json = config === undefined ? undefined : JSON.stringify(config);
    const handle = library.native.newRunner(...counts.map(([, count]) => count), name, json);
    library.check(library.native.out[0]);
    this.#handle = handle;
    this.#library = library;
    registry.register(this, { library, handle }, this);
  }

  get library() {
    return this.#library;
  }

  get handle() {
    return this.#handle;
  }

  isAlive() {
    return this.#library.native.isAlive(this.#handle);
  }

  stats() {
    const { native } = this.#library;
    const figures = native.stats(this.#handle);
    this.#library.check(native.out[0]);
    return { ...Object.fromEntries(names.map((name, i) => [name, figures[i]])), longestPoll: figures.at(-1) / 1e6 };
  }

  async run(job, payload, options = {}) {
    return start(this, job, payload, options);
  }

  runSync(job, payload, { timeout } = {}) {
    const { native } = this.#library;
    const bytes = this.encode(job, payload);
    return this.#library.valueOf(native.runSync(this.#handle, job, bytes, nanoseconds(timeout, -1)));
  }

  submit(job, payload, options = {}) {
    return Job.submit(this, job, payload, options);
  }

  stream(job, payload, options = {}) {
    return Job.submit(this, job, payload, options)[Symbol.asyncIterator]();
  }

  async gather(jobs, { failFast = false, settled = false, signal, timeout } = {}) {
    signal?.throwIfAborted();
    const { promises, cancel } = startMany(this, jobs, timeout);
    const disobey = signal && obey(signal, cancel);
    try {
      if (failFast && !settled) await Promise.all(promises);
      const outcomes = await Promise.allSettled(promises);
      signal?.throwIfAborted();
      if (settled) return outcomes;
      const failure = outcomes.find(({ status }) => status === "rejected");
      if (failure !== undefined) throw failure.reason;
      return outcomes.map(({ value }) => value);
    } finally {
      cancel();
      disobey?.();
    }
  }

  register(name, run, options = {}) {
    register(this.#library, this.#handle, name, run, options);
    this.#registered.set(name, options.input ?? "json");
  }

  /** A payload as the job takes it, the program's own jobs included. Without one, a JSON job of the program takes null. */
  encode(job, payload) {
    const input = this.#registered.get(job);
    return this.#library.encode(job, input === "json" ? (payload ?? null) : payload, input);
  }

  /** Whether the runner has ended; false if something still blocks one of its threads. */
  async shutdown({ grace = 0 } = {}) {
    return this.#end(grace, false);
  }

  async close({ grace = 0 } = {}) {
    registry.unregister(this);
    await this.#end(grace, true);
  }

  async [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]() {
    await this.close();
  }

  async #end(grace, frees) {
    const time = grace === 0 ? 0 : nanoseconds(grace, Number.MAX_SAFE_INTEGER, "grace");
    const status = await this.#library.native.shutDown(this.#handle, time, frees);
    if (status === PENDING) return false;
    if (!frees) this.#library.check(status);
    return true;
  }
}
