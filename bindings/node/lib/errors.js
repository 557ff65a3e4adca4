// What palitra throws, and how the library's statuses become errors.

import { BAD_PAYLOAD, JOB_FAILED } from "./abi.js";

/** A job failed, or a call was refused. `status` is the name of the status, such as "PALITRA_BUSY". */
export class PalitraError extends Error {
  status = "PALITRA_INTERNAL";

  constructor(message, options) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The job ran and returned an error: `code` is its number, `message` its text, `details` what else it says. */
export class JobError extends PalitraError {
  status = "PALITRA_JOB_FAILED";

  constructor(message, code = 0, details = undefined) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** The job refused its payload before it started: JSON of another shape, text that is not UTF-8. */
export class BadPayloadError extends JobError {
  status = "PALITRA_BAD_PAYLOAD";
}

/** The job panicked, with this message. Its runner lives on. */
export class JobPanickedError extends PalitraError {
  status = "PALITRA_JOB_PANICKED";
}

/** The job was cancelled: by a call, a fail-fast gather, or the end of its runner. */
export class CancelledError extends PalitraError {
  status = "PALITRA_CANCELLED";
}

/** The job's timeout passed, and it was cancelled. */
export class TimeoutError extends PalitraError {
  status = "PALITRA_DEADLINE";
}

/** The library does not accept an argument. */
export class InvalidArgumentError extends PalitraError {
  status = "PALITRA_INVALID_ARGUMENT";
}

/** The runner was closed. */
export class InvalidHandleError extends PalitraError {
  status = "PALITRA_INVALID_HANDLE";
}

/** The library has no job of that name. The message names the most similar one. */
export class UnknownJobError extends PalitraError {
  status = "PALITRA_UNKNOWN_JOB";
}

/** As many jobs are in flight as the runner accepts. */
export class BusyError extends PalitraError {
  status = "PALITRA_BUSY";
}

/** The payload is larger than the runner accepts. */
export class TooLargeError extends PalitraError {
  status = "PALITRA_TOO_LARGE";
}

/** The runner was shut down. */
export class ShutDownError extends PalitraError {
  status = "PALITRA_SHUT_DOWN";
}

/** The system refused a thread, or the library has a defect. */
export class InternalError extends PalitraError {}

const classes = new Map([
  [11, JobPanickedError],
  [12, CancelledError],
  [13, TimeoutError],
  [20, InvalidArgumentError],
  [21, InvalidHandleError],
  [22, UnknownJobError],
  [23, BusyError],
  [24, TooLargeError],
  [26, ShutDownError],
  [29, InternalError],
]);

/** The error of a status. Without a message it says what the status means. */
export function errorOf(native, status, code = 0, message = "", details = undefined) {
  if (status === JOB_FAILED) return new JobError(message, code, details);
  if (status === BAD_PAYLOAD) return new BadPayloadError(message, code);
  const error = new (classes.get(status) ?? PalitraError)(message || native.statusMessage(status));
  error.status = native.statusName(status);
  return error;
}
