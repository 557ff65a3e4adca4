// Jobs of the program: registered on a runner, called by anybody, answered here.
//
// A call is an event of the queue. It is answered by what the function returns, throws or yields, and freed then.

import { BYTES, CANCELLED, END, INVALID_ARGUMENT, JOB_FAILED, JSON_FORMAT, OK, PENDING, TEXT } from "./abi.js";
import { CancelledError, PalitraError } from "./errors.js";

/** Registers a function as a job of a runner. Its calls arrive as long as the runner lives. */
export function register(library, runner, name, run, { doc = "", input = "json", maxWaiting = 0 }) {
  const format = library.formatOf(input);
  const tag = library.takeTags(1);
  const status = library.native.register(runner, name, doc, format, JSON_FORMAT, tag, maxWaiting);
  const reason =
    status === INVALID_ARGUMENT ? `${JSON.stringify(name)} is no name, or is registered on this runner already` : "";
  library.check(status, name, reason);
  library.onCalls(tag, (handle) => void new Call(library, handle, format).answer(run));
}

/** What a value of JavaScript is to the one who called: a format and its data. */
function encode(value) {
  if (value === undefined) return [BYTES, undefined];
  if (value instanceof Uint8Array) return [BYTES, value];
  if (typeof value === "string") return [TEXT, value];
  const json = JSON.stringify(value);
  if (json === undefined) throw new TypeError(`a job cannot reply with a ${typeof value}`);
  return [JSON_FORMAT, json];
}

/** What a failure is to the one who called: its number and its message. */
function describe(error) {
  if (!(error instanceof PalitraError)) return [0, String(error)];
  const { code = 0, message } = error;
  return Number.isInteger(code) && code === (code | 0)
    ? [code, message]
    : [0, `${message} (its code ${typeof code === "string" ? JSON.stringify(code) : code} is no 32-bit number)`];
}

/** One call of a job of the program. */
export class Call {
  #library;
  #format;
  #gone = new AbortController();
  /** Those who wait for room, in the order of their sends. */
  #wakes = [];

  constructor(library, handle, format) {
    this.#library = library;
    this._handle = handle;
    this.#format = format;
  }

  /** Aborted once the answer is not needed any more: the job was cancelled, its timeout passed, or its runner ends. */
  get signal() {
    return this.#gone.signal;
  }

  progress(done, total) {
    this.#library.native.report(this._handle, done, total);
  }

  /** Sends an item of the job's stream, behind those that wait, once its reader has room. Whether anybody reads it. */
  async send(item) {
    const { native } = this.#library;
    const [format, data] = encode(item);
    for (;;) {
      const status = this.#wakes.length > 0 ? PENDING : native.send(this._handle, format, data);
      if (status === OK) return true;
      if (status === END || status === CANCELLED || this.#gone.signal.aborted) return false;
      if (status !== PENDING) this.#library.check(status);
      await new Promise((resolve) => this.#wakes.push(resolve));
    }
  }

  /** Until it is answered, or not needed any more, the process lives: its job may have ended already. */
  async answer(run) {
    const { native } = this.#library;
    const tag = this.#library.takeTags(1);
    this.#library.onCalls(tag, (_, status) => this.#onEvent(tag, status));
    try {
      if (native.notify(this._handle, tag) === OK) {
        this.#library.wait(tag);
        const status = native.complete(this._handle, OK, 0, ...encode(await this.#run(run)));
        if (status !== END && status !== CANCELLED && !this.#gone.signal.aborted) this.#library.check(status);
      }
    } catch (error) {
      const [code, message] = describe(error);
      native.complete(this._handle, error instanceof CancelledError ? CANCELLED : JOB_FAILED, code, TEXT, message);
    } finally {
      this.#library.forget(tag);
      this.#library.onCalls(tag, undefined);
      native.freeCall(this._handle);
    }
  }

  async #run(run) {
    const { native } = this.#library;
    const data = native.payload(this._handle, this.#format === BYTES);
    const result = await run(this.#format === JSON_FORMAT && data !== "" ? JSON.parse(data) : data, this);
    if (typeof result?.[Symbol.asyncIterator] !== "function") return result;
    for await (const item of result) {
      if (!(await this.send(item))) break;
    }
    return undefined;
  }

  #onEvent(tag, status) {
    if (status === CANCELLED) {
      this.#library.forget(tag);
      // The function may go on for as long as it likes, and a worker that ends looks for calls in its events alone.
      this.#library.native.freeCall(this._handle);
      this.#gone.abort(new CancelledError("the answer is not needed any more"));
    }
    for (const wake of this.#wakes.splice(0)) wake();
  }
}
