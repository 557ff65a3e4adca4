// A library built on palitra, as one thread of JavaScript sees it: its jobs, and who waits for which.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";

import { formats, JSON_FORMAT, OK, PENDING, UNKNOWN_JOB } from "./abi.js";
import { errorOf } from "./errors.js";

const natives = new URL(`../native/${process.platform}-${process.arch}/`, import.meta.url);

export class Library {
  /** Those who wait for an event, by the tag of their job. */
  #waiting = new Map();
  /** Those who answer calls of jobs of the program, by the tag of their events. */
  #called = new Map();
  #tags = 0;
  #jobs = new Map();

  constructor(path) {
    const addon = fileURLToPath(new URL("palitra.node", natives));
    if (!existsSync(addon)) throw new Error(`palitra has no addon for ${process.platform} on ${process.arch}`);
    this.path = path;
    this.native = createRequire(import.meta.url)(addon).load(path, isMainThread, (n) => this.#settle(n));
    for (const { name, doc, input, output } of this.native.jobs()) {
      this.#jobs.set(name, { name, doc, input: formats[input], output: formats[output] });
    }
  }

  get version() {
    return this.native.version;
  }

  jobs() {
    return [...this.#jobs.values()];
  }

  describeJob(job) {
    return this.valueOf(this.native.describe(job));
  }

  describeJobs() {
    return this.valueOf(this.native.describe(undefined));
  }

  configure(config) {
    this.check(this.native.configure(JSON.stringify(config)));
  }

  // ---- for the runner and its jobs

  /** A payload as the job takes it. Bytes are any job's payload as it stands. */
  encode(job, payload, input = this.#jobs.get(job)?.input) {
    if (payload === undefined || payload instanceof Uint8Array) return payload;
    if (input === "json") {
      const json = JSON.stringify(payload);
      if (json === undefined) throw new TypeError(`the payload of ${job} has no JSON: ${typeof payload}`);
      return json;
    }
    if (typeof payload === "string") return payload;
    if (payload instanceof ArrayBuffer) return new Uint8Array(payload);
    if (ArrayBuffer.isView(payload)) return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
    if (input === undefined) return JSON.stringify(payload);
    throw new TypeError(`the payload of ${job} is a string or a Uint8Array, not ${typeof payload}`);
  }

  /** What a call of the addon filled: its data, or an error. */
  valueOf(data) {
    const [status, , format] = this.native.out;
    if (status !== OK) throw this.errorOf(data);
    return format === JSON_FORMAT ? JSON.parse(data) : data;
  }

  /** The same for a call that is known to have failed. */
  errorOf(data) {
    const [status, code, , hasDetails] = this.native.out;
    return errorOf(this.native, status, code, data, hasDetails ? JSON.parse(this.native.details) : undefined);
  }

  check(status, job, reason = "") {
    if (status === OK) return;
    const nearest = status === UNKNOWN_JOB ? this.native.nearest(job) : undefined;
    const hint = nearest === undefined ? "" : `; the nearest is "${nearest}"`;
    throw errorOf(this.native, status, 0, status === UNKNOWN_JOB ? `no job is registered as "${job}"${hint}` : reason);
  }

  /** Takes the tags of n jobs that are about to be submitted. */
  takeTags(n) {
    const first = this.#tags;
    this.#tags += n;
    return first;
  }

  /** Has `waiter?.onEvent(status)` called at each event of the job with this tag. The process lives as long. */
  wait(tag, waiter) {
    if (this.#waiting.size === 0) this.native.ref();
    this.#waiting.set(tag, waiter);
  }

  forget(tag) {
    if (this.#waiting.delete(tag) && this.#waiting.size === 0) this.native.unref();
  }

  /** Has `answer(call, status)` called at each event about a call with this tag; undefined ends it. */
  onCalls(tag, answer) {
    if (answer === undefined) this.#called.delete(tag);
    else this.#called.set(tag, answer);
  }

  formatOf(name) {
    const format = formats.indexOf(name);
    if (format < 0) throw new TypeError(`a format is one of ${formats.join(", ")}, not ${name}`);
    return format;
  }

  #settle(n) {
    const { events, calls } = this.native;
    for (let i = 0; i < n; i++) {
      const tag = events[2 * i];
      const status = events[2 * i + 1];
      if (calls[i] !== 0n) {
        this.#answer(tag, calls[i], status);
        continue;
      }
      const waiter = this.#waiting.get(tag);
      if (status !== PENDING) this.forget(tag);
      waiter?.onEvent(status);
    }
  }

  #answer(tag, call, status) {
    const answer = this.#called.get(tag);
    if (answer !== undefined) answer(call, status);
    else if (status === PENDING) this.native.freeCall(call);
  }
}

const loaded = new Map();

/** Loads a library of jobs. The same path is the same library. */
export function load(path) {
  const name = path instanceof URL ? fileURLToPath(path) : path;
  let library = loaded.get(name);
  if (library === undefined) loaded.set(name, (library = new Library(name)));
  return library;
}

let shipped;

/** The library that PALITRA_LIBRARY names, or the one of this package. */
export function shippedLibrary() {
  shipped ??= load(process.env.PALITRA_LIBRARY || fileURLToPath(new URL("libpalitra.so", natives)));
  return shipped;
}
