package palitra;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;

/**
 * The items of a job, for one reader. A slow reader slows the job. Closing them, or losing them, cancels it:
 *
 * <pre>{@code
 * try (Items items = runner.stream(new Call("http.stream", request))) {
 *   for (Reply item : items) { ... }
 * }
 * }</pre>
 */
public final class Items implements Iterator<Reply>, Iterable<Reply>, AutoCloseable {
  /** Is not collected before this, so its job is not abandoned. */
  private final Job job;

  private final Running running;
  private Reply next;

  Items(Job job, Running running) {
    this.job = job;
    this.running = running;
  }

  /** The job whose items these are. */
  public Job job() {
    return job;
  }

  /** Waits for the next item. A failure of the job is thrown after the items before it; an interrupt cancels it. */
  @Override
  public boolean hasNext() {
    if (next == null) {
      try {
        next = running.next();
      } catch (InterruptedException interrupt) {
        running.cancel();
        Thread.currentThread().interrupt();
        throw (CancellationException) new CancellationException("interrupted").initCause(interrupt);
      }
    }
    return next != null;
  }

  @Override
  public Reply next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Reply item = next;
    next = null;
    return item;
  }

  @Override
  public Iterator<Reply> iterator() {
    return this;
  }

  /** Cancels the job, unless it has finished. */
  @Override
  public void close() {
    running.cancel();
  }
}
