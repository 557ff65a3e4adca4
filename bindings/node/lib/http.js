// The codes of the HTTP jobs.

/** Why an HTTP job failed: the `code` of its JobError. From 100 on that is the status of the server. */
export const HttpCode = Object.freeze({
  INVALID_REQUEST: 1,
  CANNOT_CONNECT: 2,
  TIMEOUT: 3,
  TOO_MANY_REDIRECTS: 4,
  BODY_TOO_LARGE: 5,
  TLS: 6,
  BROKEN_RESPONSE: 7,
  NOT_TEXT: 8,
  FILE_EXISTS: 9,
  NO_SPACE: 10,
  CANNOT_WRITE: 11,
  CANNOT_READ: 12,
  BODY_FAILED: 13,
});
