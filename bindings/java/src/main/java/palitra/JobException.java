package palitra;

/** The job returned an error, {@link Status#JOB_FAILED}, or refused its payload, {@link Status#BAD_PAYLOAD}. */
public class JobException extends PalitraException {
  private static final long serialVersionUID = 1;

  private final int code;

  JobException(Status status, int code, String message) {
    super(status, message);
    this.code = code;
  }

  /** The number that the job gave its failure. */
  public int code() {
    return code;
  }

  @Override
  JobException here() {
    JobException here = new JobException(status(), code, getMessage());
    here.initCause(this);
    return here;
  }
}
