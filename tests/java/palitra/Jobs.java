package palitra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.function.Executable;

/** What the tests share: the library with the test jobs, failures, and programs of their own. */
final class Jobs {
  static final Library LIBRARY = Library.load(Path.of(System.getenv("PALITRA_LIBRARY_DIR"), "libpalitra_test_jobs.so"));

  private Jobs() {}

  static Runner runner() {
    return new Runner(LIBRARY, new Runner.Options());
  }

  static PalitraException assertStatus(Status status, Executable call) {
    PalitraException failure = assertThrows(PalitraException.class, call);
    assertEquals(status, failure.status(), failure.getMessage());
    return failure;
  }

  /** Asks until it is so, for half a minute at the most. */
  static void until(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < end, "it never was so");
      Thread.sleep(5);
    }
  }

  /** Returns when what nobody referred to before was collected, and its cleaners have run. */
  static void collect() throws InterruptedException {
    // Twice: the cleaners of what is collected at once run in any order.
    for (int i = 0; i < 2; i++) {
      AtomicBoolean wasCleaned = new AtomicBoolean();
      Job.CLEANER.register(new Object(), () -> wasCleaned.set(true));
      until(() -> {
        System.gc();
        return wasCleaned.get();
      });
    }
  }

  /** What a program printed on both outputs, and its exit code. */
  record Ended(String output, int code) {}

  /** Runs a Java program of these arguments to its end. The signal, if one is given, comes when it has printed. */
  static Ended program(String signal, String... arguments) throws Exception {
    Path output = Files.createTempFile("program", ".txt");
    try {
      List<String> command = new ArrayList<>(List.of(arguments));
      command.add(0, Path.of(System.getProperty("java.home"), "bin", "java").toString());
      ProcessBuilder builder = new ProcessBuilder(command);
      builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
      Process process = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
      if (signal != null) {
        until(() -> output.toFile().length() > 0);
        new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
      }
      boolean hasEnded = process.waitFor(120, TimeUnit.SECONDS);
      process.destroyForcibly();
      assertTrue(hasEnded, () -> "it runs on: " + command);
      return new Ended(Files.readString(output), process.exitValue());
    } finally {
      Files.delete(output);
    }
  }
}
