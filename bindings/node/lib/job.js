// One submitted job: pending, then settled once. Whoever waits for it is a waiter of its library, by its tag.

import { INLINE_ONLY, ITEM_EVENTS, JOB_FAILED, nanoseconds, NO_ITEMS, OK, PENDING } from "./abi.js";
import { obey } from "./signals.js";

/** Runs a job to its end: at once if it is ready at its first poll, which an inline job has on this thread. */
export function start(runner, job, payload, { signal, timeout }) {
  signal?.throwIfAborted();
  const { library, handle } = runner;
  const { native } = library;
  const bytes = runner.encode(job, payload);
  const tag = library.takeTags(1);
  const answer = native.start(handle, job, bytes, nanoseconds(timeout, 0), NO_ITEMS | INLINE_ONLY, 0, tag);
  if (native.out[0] !== PENDING) return library.valueOf(answer);
  return new Promise((resolve, reject) => {
    const running = new Running(runner, answer, tag, resolve, reject);
    if (signal !== undefined) running.obey(signal);
  });
}

/**
 * Submits [job, payload] pairs with one call: their promises, and what cancels them. What is refused throws, after those
 * before it were cancelled.
 */
export function startMany(runner, jobs, timeout) {
  const { library, handle } = runner;
  const { native } = library;
  const names = jobs.map(([job]) => job);
  const payloads = jobs.map(([job, payload]) => runner.encode(job, payload));
  const tag = library.takeTags(jobs.length);
  const tokens = native.submitMany(handle, names, payloads, nanoseconds(timeout, 0), NO_ITEMS, 0, tag);
  const status = native.out[0];
  const running = [];
  const start = (token, i) =>
    new Promise((resolve, reject) => running.push(new Running(runner, token, tag + i, resolve, reject)));
  const promises = tokens.map(start);
  const cancel = () => running.forEach((job) => job.cancel());
  if (status !== OK) {
    Promise.allSettled(promises);
    cancel();
    library.check(status, names[tokens.length]);
  }
  return { promises, cancel };
}

/**
 * A job that has a token. It settles its promise, and lets its token go. It keeps its runner: one that was collected is
 * freed, and its jobs are cancelled.
 */
class Running {
  constructor(runner, token, tag, resolve, reject) {
    this.runner = runner;
    this.library = runner.library;
    this.token = token;
    this.tag = tag;
    this.resolve = resolve;
    this.reject = reject;
    this.library.wait(tag, this);
  }

  /** Cancels the job once the signal is aborted; its promise is rejected with the reason. */
  obey(signal) {
    this.disobey = obey(signal, (reason) => {
      this.failure = reason;
      this.reject(reason);
      this.cancel();
    });
  }

  cancel() {
    if (this.token !== 0n) this.library.native.cancel(this.token);
  }

  onEvent() {
    this.settle();
  }

  settle() {
    const { library, token } = this;
    try {
      this.resolve(library.valueOf(library.native.poll(token)));
    } catch (error) {
      this.reject(error);
    }
    library.native.free(token);
    this.token = 0n;
    this.disobey?.();
  }
}

/** A running job whose items are read. It keeps those that are left when it ends, a few, and its token no longer. */
class Streaming extends Running {
  items = [];
  failure = undefined;
  isOver = false;
  hasItems = false;
  isAbandoned = false;
  /** Those who wait for an item, in their order. */
  wakes = [];
  progress = [0, 0];

  onEvent(status) {
    if (status !== PENDING) {
      this.progress = this.library.native.progress(this.token);
      for (let item = this.#take(); item !== undefined; item = this.#take()) this.items.push(item);
      this.isOver = true;
      this.settle();
    } else {
      this.hasItems = true;
      if (this.isAbandoned) this.cancel();
    }
    for (const wake of this.wakes.splice(0)) wake();
  }

  /** The next item, in a box, if there is one now. */
  #take() {
    const { native } = this.library;
    const data = native.next(this.token);
    const [status] = native.out;
    if (status === OK) return { value: this.library.valueOf(data) };
    this.hasItems = false;
    if (status >= JOB_FAILED) this.failure ??= this.library.errorOf(data);
    return undefined;
  }

  /** Nobody can read the items any more: a job that waits for a reader would wait forever. */
  abandon() {
    this.isAbandoned = true;
    if (this.hasItems) this.cancel();
  }

  /** The next item, behind those who wait for one. */
  async next() {
    for (;;) {
      const mayTake = !this.isOver && this.wakes.length === 0;
      const item = this.items.shift() ?? (mayTake ? this.#take() : undefined);
      if (item !== undefined) return { value: item.value, done: false };
      if (this.isOver) break;
      await new Promise((resolve) => this.wakes.push(resolve));
    }
    if (this.failure !== undefined) throw this.failure;
    return { value: undefined, done: true };
  }
}

const registry = new FinalizationRegistry((running) => running.abandon());

/** A submitted job: await it, cancel it, ask for its progress, read its items. */
export class Job {
  #promise;

  constructor(runner, token, tag) {
    this.#promise = new Promise((resolve, reject) => {
      this._running = new Streaming(runner, token, tag, resolve, reject);
    });
    registry.register(this, this._running);
  }

  /** Submits one job. What is refused throws. */
  static submit(runner, job, payload, { signal, timeout, streamItems = 0 }) {
    signal?.throwIfAborted();
    const { library, handle } = runner;
    const { native } = library;
    const bytes = runner.encode(job, payload);
    const tag = library.takeTags(1);
    const token = native.submit(handle, job, bytes, nanoseconds(timeout, 0), ITEM_EVENTS, streamItems, tag);
    library.check(native.out[0], job);
    const submitted = new Job(runner, token, tag);
    if (signal !== undefined) submitted._running.obey(signal);
    return submitted;
  }

  then(onFulfilled, onRejected) {
    return this.#promise.then(onFulfilled, onRejected);
  }

  catch(onRejected) {
    return this.#promise.catch(onRejected);
  }

  finally(onFinally) {
    return this.#promise.finally(onFinally);
  }

  /** Cancels the job. Nobody need handle that it was. */
  cancel() {
    this.#promise.catch(() => {});
    this._running.cancel();
  }

  /** How far the job is: what it has reported last. */
  get progress() {
    const { library, token } = this._running;
    const [done, total] = token === 0n ? this._running.progress : library.native.progress(token);
    return { done, total };
  }

  /** The items of the job, for one reader. Leaving the loop early cancels the job. */
  [Symbol.asyncIterator]() {
    // The reader is notified of a failure by its `next`.
    this.#promise.catch(() => {});
    return {
      next: () => this._running.next(),
      return: async (value) => {
        this.cancel();
        return { value, done: true };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
