package palitra;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/** A program that the tests run: it ends in the way of its argument, with jobs in flight. */
final class Program {
  private static final Call NEVER = new Call("palitra.sleep", "{\"seconds\":3600}");

  private Program() {}

  /** By how many bytes a hundred thousand runs let the process grow, whose heap was touched as it started. */
  private static long grown() throws Exception {
    runs(60_000);
    long before = resident();
    runs(100_000);
    return resident() - before;
  }

  private static void runs(int n) throws Exception {
    for (int i = 0; i < n; i++) {
      Palitra.run("palitra.echo", "x");
      if (i % 20 == 0) {
        Palitra.submit(new Call("palitra.echo", "x")).get();
        Palitra.gather(new Call("palitra.echo", "x"));
      }
    }
    System.gc();
  }

  private static long resident() throws Exception {
    return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * 4096;
  }

  /** How a job ends that is referred to by its own wait alone, and has items that nobody reads. */
  private static String held() throws Exception {
    Runner runner = Jobs.runner();
    CompletableFuture<String> ended = new CompletableFuture<>();
    Thread waiting = new Thread(() -> {
      try {
        ended.complete(runner.submit(new Call("test.stream", "{\"items\":3,\"forever\":true}")).get().text());
      } catch (PalitraException | InterruptedException failure) {
        ended.complete(failure.getMessage());
      }
    });
    waiting.setDaemon(true);
    waiting.start();
    Jobs.until(() -> {
      try {
        return runner.run(new Call("test.streams")).text().equals("1");
      } catch (InterruptedException interrupt) {
        throw new IllegalStateException(interrupt);
      }
    });
    Jobs.collect();
    return ended.getNow("waits");
  }

  /** Called by ProcessTest. */
  public static void main(String[] arguments) throws Exception {
    Palitra.runAsync(NEVER);
    new Runner().submit(NEVER);
    Items items = Palitra.stream(NEVER);
    Thread waiting = new Thread(items::hasNext);
    switch (arguments[0]) {
      case "last line" -> {}
      case "exit" -> {
        waiting.start();
        Thread.sleep(50);
        System.exit(3);
      }
      case "exception" -> throw new IllegalStateException("mine");
      case "waits" -> {
        System.out.println("waits");
        Palitra.run(NEVER);
      }
      case "held" -> System.out.println(held());
      case "memory" -> System.out.println(grown());
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }
}
