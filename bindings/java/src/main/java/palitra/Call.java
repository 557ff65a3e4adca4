package palitra;

import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** A job by its name, and the payload for it: any bytes, or text, which for a JSON job is JSON. */
public record Call(String job, byte[] payload) {
  public Call {
    Objects.requireNonNull(job, "job");
    Objects.requireNonNull(payload, "payload");
    if (job.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("the name of a job contains a NUL");
    }
  }

  public Call(String job, String payload) {
    this(job, payload.getBytes(StandardCharsets.UTF_8));
  }

  public Call(String job) {
    this(job, new byte[0]);
  }
}
