package palitra;

import java.time.Duration;

/** Durations as the library's nanoseconds. */
final class Times {
  private Times() {}

  /** At the longest what a long holds. */
  static long nanoseconds(Duration duration) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException("a time is not negative: " + duration);
    }
    try {
      return duration.toNanos();
    } catch (ArithmeticException tooLong) {
      return Long.MAX_VALUE;
    }
  }

  /** A deadline: 0 is none, so a time that has passed is 1. */
  static long deadline(Duration timeout) {
    return timeout == null ? 0 : Math.max(nanoseconds(timeout), 1);
  }
}
