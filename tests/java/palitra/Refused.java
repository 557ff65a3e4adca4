package palitra;

import com.sun.jna.NativeLibrary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** A program that the tests run: the heap has no room, or the system refuses a thread, and then jobs run on. */
final class Refused {
  private static final int RLIMIT_AS = 9;
  /** Less than the stack of a thread, and more than what the VM takes beside. */
  private static final long ROOM = 8 << 20;

  private static final Duration MINUTE = Duration.ofSeconds(60);

  private Refused() {}

  private static int limit(String function, long[] limits) {
    return NativeLibrary.getInstance("c").getFunction(function).invokeInt(new Object[] {RLIMIT_AS, limits});
  }

  /** From now on the system refuses threads, also those whose stacks it had kept from others. */
  private static void refuseThreads() throws Exception {
    long size = Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[0]) * 4096;
    long[] limits = new long[2];
    limit("getrlimit", limits);
    limits[0] = size + ROOM;
    limit("setrlimit", limits);
    try {
      while (true) {
        Thread thread = new Thread(() -> sleep(3600));
        thread.setDaemon(true);
        thread.start();
      }
    } catch (OutOfMemoryError refused) {
      // As it is meant.
    }
  }

  private static void allowThreads() {
    long[] limits = new long[2];
    limit("getrlimit", limits);
    limits[0] = limits[1];
    limit("setrlimit", limits);
  }

  private static void sleep(int seconds) {
    try {
      Thread.sleep(seconds * 1000L);
    } catch (InterruptedException interrupt) {
      Thread.currentThread().interrupt();
    }
  }

  private static Object failure(Job job) throws Exception {
    try {
      return job.get(MINUTE);
    } catch (PalitraException failure) {
      return failure.status() + ": " + failure.getMessage();
    }
  }

  /** Called by ProcessTest. */
  public static void main(String[] arguments) throws Exception {
    Runner runner = Jobs.runner();
    switch (arguments[0]) {
      case "a reply" -> {
        Job large = runner.submit(new Call("test.large", "{\"bytes\":100000000}"));
        System.out.println(failure(large));
      }
      case "the dispatcher" -> {
        refuseThreads();
        try {
          runner.submit(new Call("palitra.echo"));
        } catch (OutOfMemoryError refused) {
          System.out.println("refused");
        }
        allowThreads();
      }
      case "a callback" -> {
        Job job = runner.submit(new Call("test.never"));
        refuseThreads();
        job.cancel();
        System.out.println(runner.run(new Call("palitra.sleep", "{\"seconds\":0.1}")));
        System.out.println(job.future().isDone());
        allowThreads();
        System.out.println(failure(job));
      }
      default -> throw new IllegalArgumentException(arguments[0]);
    }
    System.out.println(runner.submit(new Call("test.nested", "then")).get(MINUTE));
  }
}
