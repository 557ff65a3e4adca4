package palitra;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;

/**
 * A job in flight: what the dispatcher holds of it. It completes its future, takes the few items that are left, and
 * lets its token go.
 */
final class Running {
  /** More than threads can wait for items. */
  private static final int ALL = 1 << 20;

  /** Keeps the runner from being collected, which would end it, while the job runs. */
  @SuppressWarnings("unused")
  private final Runner runner;

  private final Library library;
  private final boolean callsBack;
  private final Outcome future = new Outcome();

  private final Queue<Reply> items = new ArrayDeque<>();
  private final Semaphore events = new Semaphore(0);
  private volatile boolean isOver;
  private boolean isAbandoned;
  private volatile PalitraException failure;
  private volatile long[] progress = {0, 0};
  private volatile long token;

  /** If callbacks of the program may hang on the future, it is not completed on the dispatcher's thread. */
  Running(Runner runner, boolean callsBack) {
    this.runner = runner;
    this.library = runner.library();
    this.callsBack = callsBack;
  }

  /** The future of the job, whose cancel cancels the job. */
  private final class Outcome extends CompletableFuture<Reply> {
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      boolean wasCancelled = super.cancel(mayInterruptIfRunning);
      Running.this.cancel();
      return wasCancelled;
    }

    /** What is derived from it is an ordinary future. */
    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
      return new CompletableFuture<>();
    }
  }

  CompletableFuture<Reply> future() {
    return future;
  }

  void begin(long submitted) {
    token = submitted;
  }

  long token() {
    return token;
  }

  int cancel() {
    return library.functions.palitra_token_cancel(token);
  }

  // ---- the dispatcher

  void onEvent(long submitted, boolean hasFinished) {
    token = submitted;
    try {
      if (hasFinished) {
        finish();
      } else {
        cancelIfUnread();
      }
    } finally {
      events.release(hasFinished ? ALL : 1);
    }
  }

  private synchronized void finish() {
    try {
      long[] done = new long[1];
      long[] total = new long[1];
      library.functions.palitra_token_progress(token, done, total);
      progress = new long[] {done[0], total[0]};
      for (Reply item = take(); item != null; item = take()) {
        items.add(item);
      }
      byte[] reply = Library.emptyReply();
      library.functions.palitra_token_poll(token, reply);
      Reply value = library.take(reply);
      complete(() -> future.complete(value));
    } catch (PalitraException error) {
      fail(error);
    } catch (Throwable trouble) {
      fail(new PalitraException(Status.INTERNAL, trouble.toString(), trouble));
    } finally {
      isOver = true;
      library.functions.palitra_token_free(token);
    }
  }

  private void fail(PalitraException error) {
    failure = error;
    complete(() -> future.completeExceptionally(error));
  }

  private void complete(Runnable completion) {
    if (callsBack) {
      library.startThread(() -> future.defaultExecutor().execute(completion));
    } else {
      completion.run();
    }
  }

  // ---- the reader

  /** The next item if there is one now: from the token, until the dispatcher has taken those that are left. */
  private synchronized Reply takeNow() {
    return isOver ? items.poll() : take();
  }

  private Reply take() {
    byte[] item = Library.emptyReply();
    if (library.functions.palitra_token_next(token, 0, item) == Status.OK.number) {
      return library.take(item);
    }
    library.functions.palitra_reply_free(item);
    return null;
  }

  /** The next item; null at the end. A failure is thrown after the items before it. */
  Reply next() throws InterruptedException {
    while (true) {
      boolean wasOver = isOver;
      Reply item = takeNow();
      if (item != null) {
        return item;
      }
      if (wasOver) {
        if (failure != null) {
          throw failure.here();
        }
        return null;
      }
      events.acquire();
    }
  }

  long[] progress() {
    long[] done = new long[1];
    long[] total = new long[1];
    boolean isThere = library.functions.palitra_token_progress(token, done, total) == Status.OK.number;
    return isThere ? new long[] {done[0], total[0]} : progress;
  }

  /** Nobody can read the items any more: a job that waits for a reader would wait forever. */
  synchronized void abandon() {
    isAbandoned = true;
    cancelIfUnread();
  }

  /** An item that waits is looked for by taking it: nobody else does. */
  private synchronized void cancelIfUnread() {
    if (!isAbandoned) {
      return;
    }
    byte[] item = Library.emptyReply();
    boolean isUnread = library.functions.palitra_token_next(token, 0, item) == Status.OK.number;
    library.functions.palitra_reply_free(item);
    if (isUnread) {
      cancel();
    }
  }
}
