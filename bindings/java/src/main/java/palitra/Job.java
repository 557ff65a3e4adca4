package palitra;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/** A submitted job: wait for it, cancel it, ask for its progress, read its items. Any thread may do so. */
public final class Job {
  /** How much is done, and how much there is to do. */
  public record Progress(long done, long total) {}

  /** Ends what nobody refers to any more. */
  static final Cleaner CLEANER = Cleaner.create();

  private final Running running;

  Job(Running running) {
    this.running = running;
    CLEANER.register(this, running::abandon);
  }

  /** The future of the job. Its cancel cancels the job. A failure is a {@link PalitraException}. */
  public CompletableFuture<Reply> future() {
    return running.future();
  }

  /** Waits for the reply. The job is not collected before, which would cancel it if items wait. */
  public Reply get() throws InterruptedException {
    try {
      return await(running.future());
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** The same, for a time; then the job runs on. */
  public Reply get(Duration timeout) throws InterruptedException, TimeoutException {
    try {
      return running.future().get(Times.nanoseconds(timeout), java.util.concurrent.TimeUnit.NANOSECONDS);
    } catch (ExecutionException | CancellationException failure) {
      throw failureOf(failure);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** Cancels the job. One that has finished is not changed. */
  public void cancel() {
    running.cancel();
  }

  /** How far the job is: what it has reported last. */
  public Progress progress() {
    long[] progress = running.progress();
    return new Progress(progress[0], progress[1]);
  }

  /** The items of the job, for one reader. Closing them cancels the job. */
  public Items items() {
    return new Items(this, running);
  }

  Running running() {
    return running;
  }

  static Reply await(CompletableFuture<Reply> future) throws InterruptedException {
    try {
      return future.get();
    } catch (ExecutionException | CancellationException failure) {
      throw failureOf(failure);
    }
  }

  static PalitraException failureOf(Exception failure) {
    if (failure.getCause() instanceof PalitraException of) {
      return of.here();
    }
    return new PalitraException(Status.CANCELLED, "the job was cancelled");
  }
}
