/**
 * palitra for Node: async jobs of a Rust library, awaited from JavaScript.
 *
 * Jobs run on a runner, a background thread of the library. Nothing here blocks the event loop, except `runSync`, and
 * no worker of libuv is held, however many jobs are awaited. Every time is a number of milliseconds.
 */

/** A payload: of a JSON job any JSON value, of a text or bytes job a string; bytes are any job's, as they stand. */
export type Payload = Uint8Array | ArrayBuffer | string | number | boolean | null | object | undefined;

/** A reply or an item: a Buffer, a string or a JSON value, by the job's format. */
export type Reply = any;

export interface RunOptions {
  /** When to cancel the job, counted from the call: the promise is rejected with a {@link TimeoutError}. */
  timeout?: number;
  /** Cancels the job once it is aborted: the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
}

export interface SubmitOptions extends RunOptions {
  /** The most items that wait for their reader, up to 65536; then the job waits. 16 by default. */
  streamItems?: number;
}

export interface GatherOptions extends RunOptions {
  /** Cancels the other jobs at the first failure in time, and rejects with it. */
  failFast?: boolean;
  /** Resolves to the outcome of every job, as `Promise.allSettled` does. */
  settled?: boolean;
}

export interface ShutdownOptions {
  /** How long the jobs in flight may go on; 0 by default. */
  grace?: number;
}

export interface JobInfo {
  name: string;
  /** What the job's author wrote about it; empty if nothing. */
  doc: string;
  input: "bytes" | "text" | "json";
  output: "bytes" | "text" | "json";
}

export interface RunnerOptions {
  /** The library whose jobs it runs, of {@link load}. By default the one of this package. */
  library?: Library;
  /** Threads that run jobs beside the runner's own; none by default. */
  workerThreads?: number;
  /** The most threads at a time for the blocking parts of jobs; 512 by default. */
  maxBlockingThreads?: number;
  /** The most jobs in flight; one more is refused with a {@link BusyError}. No limit by default. */
  maxInFlight?: number;
  /** The largest payload in bytes; a larger one is refused with a {@link TooLargeError}. No limit by default. */
  maxPayload?: number;
  /** The name of its threads; "palitra" by default. */
  name?: string;
  /** What its jobs' states are configured by: a member for each, by the name that the jobs' documentation says. */
  config?: Record<string, unknown>;
}

/** The figures of a runner. Every submitted job is queued, running, or counted by how it ended. */
export interface Stats {
  threads: number;
  submitted: number;
  running: number;
  queued: number;
  succeeded: number;
  failed: number;
  panicked: number;
  cancelled: number;
  deadline: number;
  /** The longest time that a job blocked a thread between two awaits, in milliseconds. */
  longestPoll: number;
}

/**
 * A submitted job. Await it for its reply. It rejects as any promise: whoever neither awaits it, nor cancels it, nor
 * reads its items has an unhandled rejection if it fails.
 */
export interface Job extends PromiseLike<Reply>, AsyncIterable<Reply> {
  catch<T = never>(onRejected: (reason: any) => T | PromiseLike<T>): Promise<Reply | T>;
  finally(onFinally: () => void): Promise<Reply>;
  /** Cancels the job, unless it has finished: it rejects with a {@link CancelledError}. */
  cancel(): void;
  /** What the job has reported last; zeros before its first report. */
  readonly progress: { done: number; total: number };
  /**
   * The items of a streaming job, for one reader. A slow reader slows the job; leaving the loop early cancels it; a
   * failure is thrown after the items that came before it.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Reply>;
}

export interface RegisterOptions {
  /** What the job takes; "json" by default. */
  input?: "bytes" | "text" | "json";
  doc?: string;
  /** How many calls may wait to be taken; one more fails at once. No limit by default. */
  maxWaiting?: number;
}

/** One call of a job that the program has registered. */
export interface Call {
  /** Aborted once the answer is not needed any more: the job was cancelled, its timeout passed, or its runner ends. */
  readonly signal: AbortSignal;
  /** Says how far the job is. */
  progress(done: number, total: number): void;
  /** Sends an item, once its reader has room for it and those before it. Resolves to whether anybody reads it. */
  send(item: unknown): Promise<boolean>;
}

/** A background thread of the library that runs jobs, and keeps their state from one to the next. */
export class Runner {
  /**
   * Starts the thread.
   *
   * @throws {InvalidArgumentError} the options are invalid
   * @throws {InternalError} the system refuses a thread
   */
  constructor(options?: RunnerOptions);

  /**
   * Runs a job. A job that is ready at once needs no other thread. Its items are refused: see {@link stream}.
   *
   * @throws {JobError} the job returned an error
   * @throws {BadPayloadError} the payload is not what the job takes
   * @throws {JobPanickedError} the job panicked
   * @throws {TimeoutError} the timeout passed
   * @throws {CancelledError} the runner was shut down before the job finished
   * @throws {UnknownJobError} there is no such job; the message names the nearest
   * @throws {BusyError} {@link RunnerOptions.maxInFlight}
   * @throws {TooLargeError} {@link RunnerOptions.maxPayload}
   * @throws {ShutDownError} the runner was shut down
   * @throws {InvalidHandleError} the runner was closed
   */
  run(job: string, payload?: Payload, options?: RunOptions): Promise<Reply>;

  /** Runs a job and blocks this thread until it has finished: for scripts, and for what cannot await. */
  runSync(job: string, payload?: Payload, options?: { timeout?: number }): Reply;

  /** Submits a job. Throws what is refused at once, as {@link run} rejects with it. */
  submit(job: string, payload?: Payload, options?: SubmitOptions): Job;

  /** Submits a streaming job for `for await`: see {@link Job}. */
  stream(job: string, payload?: Payload, options?: SubmitOptions): AsyncIterableIterator<Reply>;

  /**
   * Submits many jobs at once and waits for all; the replies are in their order. Rejects with the first failure in
   * order, once all have finished.
   */
  gather(
    jobs: readonly (readonly [job: string, payload?: Payload])[],
    options: GatherOptions & { settled: true },
  ): Promise<PromiseSettledResult<Reply>[]>;
  gather(jobs: readonly (readonly [job: string, payload?: Payload])[], options?: GatherOptions): Promise<Reply[]>;

  /**
   * Registers a function as a job of this runner: jobs of the library and programs in other languages call it by its
   * name, and so does {@link run}. It comes before a job of the library of that name, so tests can replace one. What it
   * returns or resolves to is the reply; an async generator's items are the job's; what it throws is the job's failure,
   * a {@link JobError} with its code.
   *
   * @throws {InvalidArgumentError} the runner has a registered job of this name
   */
  register<T = any>(name: string, job: (payload: T, call: Call) => unknown, options?: RegisterOptions): void;

  /** Whether the runner accepts jobs. */
  isAlive(): boolean;

  /** @throws {InvalidHandleError} the runner was closed */
  stats(): Stats;

  /**
   * Refuses new jobs, lets those in flight finish during the grace period, and cancels the rest. Resolves to whether the
   * runner has ended: false if a job still blocks its thread a second after the grace period.
   */
  shutdown(options?: ShutdownOptions): Promise<boolean>;

  /** Shuts the runner down and frees it. `await using` does so at the end of its block. */
  close(options?: ShutdownOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A library of jobs that was loaded. */
export interface Library {
  readonly path: string;
  readonly version: string;
  jobs(): JobInfo[];
  /** Describes a job in full: formats, JSON Schemas, the codes of its failures. */
  describeJob(job: string): any;
  /** The same of every job. */
  describeJobs(): { palitra: string; schemas: boolean; jobs: any[] };
  /** Configures the runners that are made from now on: see {@link RunnerOptions.config}. */
  configure(config: Record<string, unknown>): void;
}

/** Loads a library of jobs of your own, for {@link RunnerOptions.library}. Loading a path again returns the same. */
export function load(path: string | URL): Library;

/**
 * {@link Runner.run} and its kin on a runner of this thread, which is made at the first use. Its jobs are those of the
 * library that the environment variable PALITRA_LIBRARY names, or of the one in this package.
 */
export function run(job: string, payload?: Payload, options?: RunOptions): Promise<Reply>;
export function runSync(job: string, payload?: Payload, options?: { timeout?: number }): Reply;
export function submit(job: string, payload?: Payload, options?: SubmitOptions): Job;
export function stream(job: string, payload?: Payload, options?: SubmitOptions): AsyncIterableIterator<Reply>;
export const gather: Runner["gather"];
export function jobs(): JobInfo[];
export function describeJob(job: string): any;
export function describeJobs(): { palitra: string; schemas: boolean; jobs: any[] };
export function configure(config: Record<string, unknown>): void;
export function isRunnerAlive(): boolean;
export function shutdownGlobalRunner(options?: ShutdownOptions): Promise<boolean>;

/** Why an HTTP job failed: the `code` of its {@link JobError}. From 100 on that is the status of the server. */
export const HttpCode: {
  /** The request cannot be sent as it is. */
  readonly INVALID_REQUEST: 1;
  /** The server or its proxy cannot be reached. */
  readonly CANNOT_CONNECT: 2;
  /** The timeout of the request passed. */
  readonly TIMEOUT: 3;
  readonly TOO_MANY_REDIRECTS: 4;
  /** The body is larger than the request allows. */
  readonly BODY_TOO_LARGE: 5;
  /** The certificate is not trusted, or the encrypted connection failed. */
  readonly TLS: 6;
  /** The response is not HTTP, or broke off. */
  readonly BROKEN_RESPONSE: 7;
  /** The body is not text in its charset. */
  readonly NOT_TEXT: 8;
  /** The file of a download exists. */
  readonly FILE_EXISTS: 9;
  /** There is no space for the file of a download. */
  readonly NO_SPACE: 10;
  /** The file of a download cannot be written. */
  readonly CANNOT_WRITE: 11;
  /** A file that is to be sent cannot be read. */
  readonly CANNOT_READ: 12;
  /** The job that is to produce the body failed. */
  readonly BODY_FAILED: 13;
};

/** A job failed, or a call was refused. */
export class PalitraError extends Error {
  /** The name of the status, such as "PALITRA_BUSY". */
  readonly status: string;
}
/** The job ran and returned an error. */
export class JobError extends PalitraError {
  constructor(message: string, code?: number);
  /** The number that the job gave its failure. */
  readonly code: number;
  /** What else the job says of its failure, such as the SQLSTATE of a database; undefined if nothing. */
  readonly details: any;
}
/** The job refused its payload before it started. */
export class BadPayloadError extends JobError {}
/** The job panicked, with this message. Its runner lives on. */
export class JobPanickedError extends PalitraError {}
/** The job was cancelled: by a call, a fail-fast gather, or the end of its runner. */
export class CancelledError extends PalitraError {}
/** The job's timeout passed, and it was cancelled. */
export class TimeoutError extends PalitraError {}
/** The library does not accept an argument. */
export class InvalidArgumentError extends PalitraError {}
/** The runner was closed. */
export class InvalidHandleError extends PalitraError {}
/** The library has no job of that name. */
export class UnknownJobError extends PalitraError {}
/** As many jobs are in flight as the runner accepts. */
export class BusyError extends PalitraError {}
/** The payload is larger than the runner accepts. */
export class TooLargeError extends PalitraError {}
/** The runner was shut down. */
export class ShutDownError extends PalitraError {}
/** The system refused a thread, or the library has a defect. */
export class InternalError extends PalitraError {}
