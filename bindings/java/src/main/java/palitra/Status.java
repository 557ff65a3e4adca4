package palitra;

/** How a job ended, or why a call was refused. */
public enum Status {
  OK(0),
  PENDING(1),
  END(2),
  /** The job ran and returned an error. */
  JOB_FAILED(10),
  /** The job panicked. Its runner lives on. */
  JOB_PANICKED(11),
  /** The job was cancelled: by a call, a fail-fast gather, or the end of its runner. */
  CANCELLED(12),
  /** The job's timeout passed, and it was cancelled. */
  DEADLINE(13),
  /** The payload is not what the job takes. The job did not run. */
  BAD_PAYLOAD(14),
  INVALID_ARGUMENT(20),
  /** The runner was closed. */
  INVALID_HANDLE(21),
  /** The library has no job of that name. */
  UNKNOWN_JOB(22),
  /** As many jobs are in flight as the runner accepts. */
  BUSY(23),
  /** The payload is larger than the runner accepts, or the heap has no room for the reply or the item. */
  TOO_LARGE(24),
  WOULD_DEADLOCK(25),
  SHUT_DOWN(26),
  /** The handle was made before this process was forked. */
  FORKED(27),
  INTERNAL(29),
  /** A status of a later version of the library. */
  UNKNOWN(-1);

  final int number;

  Status(int number) {
    this.number = number;
  }

  static Status of(int number) {
    for (Status status : values()) {
      if (status.number == number) {
        return status;
      }
    }
    return UNKNOWN;
  }
}
