// The numbers of the C ABI that this package needs, and its units.

export const OK = 0;
export const PENDING = 1;
export const END = 2;
export const JOB_FAILED = 10;
export const CANCELLED = 12;
export const BAD_PAYLOAD = 14;
export const INVALID_ARGUMENT = 20;
export const UNKNOWN_JOB = 22;

export const BYTES = 0;
export const TEXT = 1;
export const JSON_FORMAT = 2;
export const formats = ["bytes", "text", "json"];

export const ITEM_EVENTS = 1;
export const NO_ITEMS = 2;
export const INLINE_ONLY = 4;

/** The longest time that is a time, in nanoseconds: what a number holds exactly, 104 days. */
const LONGEST = Number.MAX_SAFE_INTEGER;

/** Milliseconds as the library's nanoseconds. Without a timeout it is `forever`. */
export function nanoseconds(timeout, forever, name = "timeout") {
  if (timeout === undefined || timeout === Infinity) return forever;
  if (!(typeof timeout === "number" && timeout >= 0)) {
    throw new RangeError(`${name} is a number of milliseconds, not ${timeout}`);
  }
  return Math.min(Math.max(Math.round(timeout * 1e6), 1), LONGEST);
}
