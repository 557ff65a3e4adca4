package palitra;

/** A job did not succeed, or a call was refused. */
public class PalitraException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final Status status;

  PalitraException(Status status, String message) {
    super(message);
    this.status = status;
  }

  PalitraException(Status status, String message, Throwable cause) {
    super(message, cause);
    this.status = status;
  }

  /** Why. */
  public Status status() {
    return status;
  }

  /** The exception again, with the stack of the thread that asked: it was made on another. */
  PalitraException here() {
    PalitraException here = new PalitraException(status, getMessage());
    here.initCause(this);
    return here;
  }
}
