package palitra;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A library built on palitra. One daemon thread takes the events of its jobs and completes what waits for them: a job
 * that is waited for holds no thread.
 */
public final class Library {
  /** A job of a library. */
  public record JobInfo(String name, String doc, Format input, Format output) {}

  private static final int REPLY_SIZE = 40;
  private static final int EVENT_SIZE = 24;
  private static final int MANY_EVENTS = 64;
  private static final long AGAIN_NS = 20_000_000;

  private static final Map<String, Library> LOADED = new ConcurrentHashMap<>();

  final Functions functions;
  private final Runner global;
  private final AtomicLong tags = new AtomicLong();
  private final Map<Long, Running> running = new ConcurrentHashMap<>();
  private long queue;

  /** What takes a thread that the system has refused: the dispatcher's own. */
  private final Queue<Runnable> late = new ArrayDeque<>();

  Library(Functions functions) {
    this.functions = functions;
    global = new Runner(this);
  }

  static Functions open(String path) {
    Map<String, Object> options = Map.of(com.sun.jna.Library.OPTION_STRING_ENCODING, "UTF-8");
    try {
      Functions functions = Native.load(path, Functions.class, options);
      int version = functions.palitra_abi_version();
      if (version != Functions.ABI_VERSION) {
        throw new IllegalArgumentException(
            path + " has the ABI " + version + " of palitra; this package needs " + Functions.ABI_VERSION);
      }
      return functions;
    } catch (UnsatisfiedLinkError trouble) {
      throw new IllegalArgumentException(path + " is not a library of palitra: " + trouble.getMessage(), trouble);
    }
  }

  /** Loads a library of jobs. The same path is the same library. */
  public static Library load(Path path) {
    return load(path.toAbsolutePath().toString());
  }

  private static Library load(String path) {
    return LOADED.computeIfAbsent(path, name -> new Library(open(name)));
  }

  /** The library that the property {@code palitra.library} or the variable PALITRA_LIBRARY names, or the system's. */
  static Library shipped() {
    String path = System.getProperty("palitra.library", System.getenv("PALITRA_LIBRARY"));
    return load(path == null || path.isEmpty() ? "libpalitra.so.1" : path);
  }

  /** The runner that this library has for every program. Closing it shuts it down; the next use makes another. */
  public Runner global() {
    return global;
  }

  public String version() {
    return functions.palitra_version();
  }

  /** What jobs there are, by their names. */
  public List<JobInfo> jobs() {
    List<JobInfo> jobs = new ArrayList<>();
    byte[] info = new byte[24];
    for (long i = 0; i < functions.palitra_job_count(); i++) {
      functions.palitra_job_at(i, info);
      ByteBuffer fields = buffer(info);
      String name = new Pointer(fields.getLong(0)).getString(0, "UTF-8");
      String doc = new Pointer(fields.getLong(8)).getString(0, "UTF-8");
      jobs.add(new JobInfo(name, doc, Format.values()[fields.getInt(16)], Format.values()[fields.getInt(20)]));
    }
    return jobs;
  }

  /** Configures the runners that are made from now on: a JSON object with a member for each state of jobs. */
  public void configure(String json) {
    check(functions.palitra_configure(json), null);
  }

  // ---- statuses and replies

  static ByteBuffer buffer(byte[] struct) {
    return ByteBuffer.wrap(struct).order(ByteOrder.nativeOrder());
  }

  static byte[] emptyReply() {
    return new byte[REPLY_SIZE];
  }

  /** What a call filled, which is freed. A failure is thrown. */
  Reply take(byte[] reply) {
    ByteBuffer fields = buffer(reply);
    Status status = Status.of(fields.getInt(0));
    try {
      Format format = Format.values()[fields.getInt(8)];
      byte[] bytes = copy(fields.getLong(16), fields.getLong(24));
      if (status != Status.OK) {
        throw error(fields.getInt(0), fields.getInt(4), new String(bytes, StandardCharsets.UTF_8));
      }
      return new Reply(format, bytes);
    } finally {
      functions.palitra_reply_free(reply);
    }
  }

  private static byte[] copy(long address, long len) {
    try {
      return len == 0 ? new byte[0] : new Pointer(address).getByteArray(0, Math.toIntExact(len));
    } catch (ArithmeticException | OutOfMemoryError tooLarge) {
      throw new PalitraException(Status.TOO_LARGE, "there is no room in the heap for " + len + " bytes", tooLarge);
    }
  }

  private PalitraException error(int number, int code, String message) {
    Status status = Status.of(number);
    if (status == Status.JOB_FAILED || status == Status.BAD_PAYLOAD) {
      return new JobException(status, code, message);
    }
    return new PalitraException(status, message.isEmpty() ? functions.palitra_status_message(number) : message);
  }

  /** Throws a status that is none of success. */
  void check(int number, String job) {
    if (number == Status.OK.number) {
      return;
    }
    String message = "";
    if (number == Status.UNKNOWN_JOB.number) {
      String nearest = functions.palitra_job_nearest(job);
      String hint = nearest == null ? "" : "; the nearest is \"" + nearest + "\"";
      message = "no job is registered as \"" + job + "\"" + hint;
    }
    throw error(number, 0, message);
  }

  // ---- events

  /** The queue whose events the dispatcher takes: both are made at the first use, or at the next if one is refused. */
  synchronized long queue() {
    if (queue == 0) {
      long[] made = new long[1];
      check(functions.palitra_queue_new(made), null);
      Thread dispatcher = new Thread(() -> dispatch(made[0]), "palitra-dispatcher");
      dispatcher.setDaemon(true);
      try {
        dispatcher.start();
        queue = made[0];
      } finally {
        if (queue == 0) {
          functions.palitra_queue_free(made[0]);
        }
      }
    }
    return queue;
  }

  /** The tag of a job that is about to be submitted, which is notified of its events. */
  long expect(Running job) {
    long tag = tags.incrementAndGet();
    running.put(tag, job);
    return tag;
  }

  /** The job of this tag was not submitted, or was ready at once. */
  void forget(long tag) {
    running.remove(tag);
  }

  /** Nothing that fails may end this thread: every wait of the library hangs without it. */
  private void dispatch(long from) {
    byte[] events = new byte[MANY_EVENTS * EVENT_SIZE];
    ByteBuffer fields = buffer(events);
    long[] taken = new long[1];
    int status = Status.OK.number;
    while (status == Status.OK.number || status == Status.PENDING.number) {
      try {
        startLate();
        status = functions.palitra_queue_next(from, late.isEmpty() ? -1 : AGAIN_NS, events, MANY_EVENTS, taken);
      } catch (OutOfMemoryError full) {
        continue; // The events wait in the queue until there is room.
      }
      for (int at = 0; at < taken[0] * EVENT_SIZE; at += EVENT_SIZE) {
        notify(fields.getLong(at), fields.getLong(at + 8), fields.getInt(at + 16) != Status.PENDING.number);
      }
    }
  }

  private void notify(long tag, long token, boolean isOver) {
    try {
      Running job = isOver ? running.remove(tag) : running.get(tag);
      if (job != null) {
        job.onEvent(token, isOver);
      }
    } catch (Throwable trouble) {
      // The job has failed with it, and the events of others come.
    }
  }

  /** Called by the dispatcher: does what takes a thread, later if the system refuses one now. */
  void startThread(Runnable start) {
    late.add(start);
    startLate();
  }

  private void startLate() {
    try {
      while (!late.isEmpty()) {
        late.peek().run();
        late.remove();
      }
    } catch (OutOfMemoryError | RejectedExecutionException refused) {
      // The dispatcher tries again.
    }
  }
}
