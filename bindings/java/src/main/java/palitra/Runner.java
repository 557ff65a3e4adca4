package palitra;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** A runner: a background thread of a library that runs jobs. Any thread may use it. */
public final class Runner implements AutoCloseable {
  /** How to make a runner. What is not set is the default. A count of 0 is no limit, or the library's default. */
  public static final class Options {
    private int workerThreads;
    private int maxBlockingThreads;
    private long maxInFlight;
    private long maxPayload;
    private String name;
    private String config;

    /** Threads that run jobs beside the runner's own. */
    public Options workerThreads(int count) {
      workerThreads = (int) atLeastZero(count);
      return this;
    }

    /** The most threads at a time for the blocking parts of jobs. */
    public Options maxBlockingThreads(int count) {
      maxBlockingThreads = (int) atLeastZero(count);
      return this;
    }

    /** The most jobs in flight at a time; another is refused: {@link Status#BUSY}. */
    public Options maxInFlight(long count) {
      maxInFlight = atLeastZero(count);
      return this;
    }

    /** The largest payload in bytes; a larger one is refused: {@link Status#TOO_LARGE}. */
    public Options maxPayload(long bytes) {
      maxPayload = atLeastZero(bytes);
      return this;
    }

    /** The name of its threads. */
    public Options name(String text) {
      name = text;
      return this;
    }

    /** A JSON object with a member for each state of jobs. */
    public Options config(String json) {
      config = json;
      return this;
    }

    private static long atLeastZero(long count) {
      if (count < 0) {
        throw new IllegalArgumentException("a count is not negative: " + count);
      }
      return count;
    }
  }

  /** How a runner is doing: see palitra_stats in palitra.h. */
  public record Stats(
      int threads,
      long submitted,
      long running,
      long queued,
      long succeeded,
      long failed,
      long panicked,
      long cancelled,
      long deadline,
      Duration longestPoll) {}

  private final Library library;
  private final boolean isGlobal;
  private final long handle;
  private Cleaner.Cleanable end = () -> {};

  /** The global runner of a library. */
  Runner(Library library) {
    this.library = library;
    this.isGlobal = true;
    this.handle = 0;
  }

  /** A runner with the defaults, of the library that comes with palitra. */
  public Runner() {
    this(Library.shipped(), new Options());
  }

  public Runner(Library library, Options options) {
    this.library = library;
    this.isGlobal = false;
    Functions functions = library.functions;
    byte[] given = new byte[96];
    Memory name = text(options.name);
    Memory config = text(options.config);
    ByteBuffer fields = Library.buffer(given);
    fields.putInt(given.length).putInt(options.workerThreads).putInt(options.maxBlockingThreads).putInt(0);
    fields.putLong(addressOf(name)).putLong(0).putLong(options.maxInFlight).putLong(options.maxPayload);
    fields.putLong(88, addressOf(config));
    long[] made = new long[1];
    library.check(functions.palitra_runner_new(given, made), null);
    Reference.reachabilityFence(name);
    Reference.reachabilityFence(config);
    long id = made[0];
    handle = id;
    end = Job.CLEANER.register(this, () -> functions.palitra_runner_free(id));
  }

  private static Memory text(String text) {
    if (text == null) {
      return null;
    }
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a text contains a NUL");
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Memory memory = new Memory(bytes.length + 1L);
    memory.write(0, bytes, 0, bytes.length);
    memory.setByte(bytes.length, (byte) 0);
    return memory;
  }

  private static long addressOf(Memory memory) {
    return memory == null ? 0 : Pointer.nativeValue(memory);
  }

  Library library() {
    return library;
  }

  /** Asked for each time where it is the global one, which may have been shut down. */
  long handle() {
    if (!isGlobal) {
      return handle;
    }
    long[] global = new long[1];
    library.check(library.functions.palitra_runner_global(global), null);
    return global[0];
  }

  // ---- one job

  private byte[] submitOptions(int flags, Duration timeout, int streamItems) {
    byte[] options = new byte[40];
    ByteBuffer fields = Library.buffer(options);
    fields.putInt(options.length).putInt(flags).putLong(Times.deadline(timeout)).putLong(library.queue());
    fields.putInt(32, streamItems);
    return options;
  }

  private static void setTag(byte[] options, long tag) {
    Library.buffer(options).putLong(24, tag);
  }

  /** Starts a job. The future is complete at once if the job was ready at its first poll on this thread. */
  private Running start(Call call, Duration timeout, boolean callsBack) {
    byte[] options = submitOptions(Functions.NO_ITEMS | Functions.INLINE_ONLY, timeout, 0);
    long runner = handle();
    Running running = new Running(this, callsBack);
    long tag = library.expect(running);
    setTag(options, tag);
    byte[] data = call.payload();
    byte[] reply = Library.emptyReply();
    long[] token = new long[1];
    int status =
        library.functions.palitra_runner_start(runner, call.job(), data, data.length, options, token, reply);
    if (status == Status.PENDING.number) {
      library.functions.palitra_reply_free(reply);
      running.begin(token[0]);
      return running;
    }
    library.forget(tag);
    try {
      running.future().complete(library.take(reply));
    } catch (PalitraException failure) {
      running.future().completeExceptionally(failure);
    }
    return running;
  }

  /** Runs a job to its end. An interrupt cancels it. */
  public Reply run(Call call) throws InterruptedException {
    return run(call, null);
  }

  /** The same, with a timeout: the job is cancelled then, {@link Status#DEADLINE}. */
  public Reply run(Call call, Duration timeout) throws InterruptedException {
    Running running = start(call, timeout, false);
    try {
      return Job.await(running.future());
    } catch (InterruptedException interrupt) {
      running.cancel();
      throw interrupt;
    }
  }

  public Reply run(String job, String payload) throws InterruptedException {
    return run(new Call(job, payload), null);
  }

  /** Runs a job and waits for nothing: its future. What is refused completes it, too. Its cancel cancels the job. */
  public CompletableFuture<Reply> runAsync(Call call) {
    return runAsync(call, null);
  }

  public CompletableFuture<Reply> runAsync(Call call, Duration timeout) {
    return start(call, timeout, true).future();
  }

  /** Submits a job whose progress or items are of interest. What is refused throws. */
  public Job submit(Call call) {
    return submit(call, null, 0);
  }

  /**
   * The same, with a timeout, or null.
   *
   * @param streamItems the most items that wait for a reader; then the job waits. 0: 16.
   */
  public Job submit(Call call, Duration timeout, int streamItems) {
    byte[] options = submitOptions(Functions.ITEM_EVENTS, timeout, streamItems);
    long runner = handle();
    Running running = new Running(this, true);
    long tag = library.expect(running);
    setTag(options, tag);
    byte[] data = call.payload();
    long[] token = new long[1];
    int status = library.functions.palitra_runner_submit(runner, call.job(), data, data.length, options, token);
    if (status != Status.OK.number) {
      library.forget(tag);
      library.check(status, call.job());
    }
    running.begin(token[0]);
    return new Job(running);
  }

  /** Submits a job and reads its items. */
  public Items stream(Call call) {
    return submit(call).items();
  }

  // ---- many jobs

  /** Submits the jobs with one call, up to the first that is refused: those before it, and its status. */
  int startMany(List<Call> calls, Duration timeout, List<Running> started) {
    int n = calls.size();
    byte[] options = submitOptions(Functions.NO_ITEMS, timeout, 0);
    long runner = handle();
    long[] tags = new long[n];
    for (int i = 0; i < n; i++) {
      started.add(new Running(this, false));
      tags[i] = library.expect(started.get(i));
    }
    long[] tokens = new long[Math.max(n, 1)];
    long[] taken = new long[1];
    int status;
    try (Memory submissions = submissions(calls, tags)) {
      status = library.functions.palitra_runner_submit_many(runner, submissions, n, options, tokens, taken);
    }
    for (int i = 0; i < n; i++) {
      if (i < taken[0]) {
        started.get(i).begin(tokens[i]);
      } else {
        library.forget(tags[i]);
      }
    }
    started.subList((int) taken[0], n).clear();
    return status;
  }

  private static final int SUBMISSION_SIZE = 32;

  /** An array of palitra_submission, and behind it the names, each once, and the payloads. */
  private static Memory submissions(List<Call> calls, long[] tags) {
    Map<String, byte[]> names = new HashMap<>();
    long size = calls.size() * (long) SUBMISSION_SIZE + 1;
    for (Call call : calls) {
      byte[] name = names.computeIfAbsent(call.job(), job -> (job + '\0').getBytes(StandardCharsets.UTF_8));
      size += name.length + call.payload().length;
    }
    Memory memory = new Memory(size);
    long address = addressOf(memory);
    Map<String, Long> written = new HashMap<>();
    long end = calls.size() * (long) SUBMISSION_SIZE;
    for (int i = 0; i < tags.length; i++) {
      Call call = calls.get(i);
      byte[] name = names.get(call.job());
      byte[] data = call.payload();
      if (!written.containsKey(call.job())) {
        written.put(call.job(), address + end);
        memory.write(end, name, 0, name.length);
        end += name.length;
      }
      long at = i * (long) SUBMISSION_SIZE;
      memory.setLong(at, written.get(call.job()));
      memory.setLong(at + 8, address + end);
      memory.setLong(at + 16, data.length);
      memory.setLong(at + 24, tags[i]);
      memory.write(end, data, 0, data.length);
      end += data.length;
    }
    return memory;
  }

  /** Runs jobs beside each other: their replies in this order, or the first failure in it when all have ended. */
  public List<Reply> gather(List<Call> calls) throws InterruptedException {
    return gather(calls, null, false);
  }

  public List<Reply> gather(Call... calls) throws InterruptedException {
    return gather(List.of(calls), null, false);
  }

  /**
   * The same, with a timeout for each, or null.
   *
   * @param failFast whether the first failure in time is thrown at once, and the rest cancelled
   */
  public List<Reply> gather(List<Call> calls, Duration timeout, boolean failFast) throws InterruptedException {
    List<Running> started = new ArrayList<>();
    try {
      int status = startMany(calls, timeout, started);
      library.check(status, started.size() < calls.size() ? calls.get(started.size()).job() : null);
      List<CompletableFuture<Reply>> futures = started.stream().map(Running::future).toList();
      CompletableFuture<Void> all = CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new));
      if (failFast) {
        futures.forEach(future -> future.exceptionally(failure -> {
          all.completeExceptionally(failure);
          return null;
        }));
      }
      try {
        all.get();
      } catch (ExecutionException failure) {
        if (failFast) {
          throw Job.failureOf(failure);
        }
      }
      List<Reply> replies = new ArrayList<>();
      for (CompletableFuture<Reply> future : futures) {
        replies.add(Job.await(future));
      }
      return replies;
    } finally {
      started.forEach(Running::cancel);
    }
  }

  // ---- its state and its end

  public boolean isAlive() {
    Functions functions = library.functions;
    return (isGlobal ? functions.palitra_is_runner_alive() : functions.palitra_runner_is_alive(handle)) != 0;
  }

  public Stats stats() {
    byte[] out = new byte[80];
    ByteBuffer fields = Library.buffer(out).putInt(0, out.length);
    library.check(library.functions.palitra_runner_stats(handle(), out), null);
    return new Stats(
        fields.getInt(4),
        fields.getLong(8),
        fields.getLong(16),
        fields.getLong(24),
        fields.getLong(32),
        fields.getLong(40),
        fields.getLong(48),
        fields.getLong(56),
        fields.getLong(64),
        Duration.ofNanos(fields.getLong(72)));
  }

  /**
   * Shuts the runner down; jobs in flight have the grace period. False if something still blocks its threads. An
   * interrupt ends the grace period, and stays set.
   */
  public boolean shutdown(Duration grace) {
    long time = Times.nanoseconds(grace);
    int status = time == 0 ? end(0) : endWithin(time);
    if (status == Status.PENDING.number) {
      return false;
    }
    library.check(status, null);
    return true;
  }

  private int end(long time) {
    Functions functions = library.functions;
    return isGlobal ? functions.palitra_shutdown_global_runner(time) : functions.palitra_runner_shutdown(handle, time);
  }

  /** On a thread of its own: the library does not return for an interrupt. */
  private int endWithin(long time) {
    FutureTask<Integer> ending = new FutureTask<>(() -> end(time));
    Thread thread = new Thread(ending, "palitra-shutdown");
    thread.setDaemon(true);
    thread.start();
    try {
      return ending.get();
    } catch (InterruptedException interrupt) {
      Thread.currentThread().interrupt();
      return end(0);
    } catch (ExecutionException failure) {
      throw new IllegalStateException(failure);
    }
  }

  /** Frees the runner. One that is alive is shut down first. */
  @Override
  public void close() {
    if (isGlobal) {
      shutdown(Duration.ZERO);
    } else {
      end.clean();
    }
  }
}
