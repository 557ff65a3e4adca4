import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.SynchronousQueue;
import palitra.Call;
import palitra.Palitra;

/**
 * palitra from Java beside Java's own ways, in turns: {@code make bench-java}.
 *
 * <p>A figure is the median over the rounds; a ratio is the median of the rival's figure divided by palitra's of the
 * same round, so above 1 palitra is faster.
 */
public final class Bench {
  private static final int ROUNDS = 15;

  private interface Work {
    void run() throws Exception;
  }

  private record Row(String name, int n, Work own, String rival, Work theirs) {}

  private static final Call READY = new Call("palitra.echo", "x");

  private static double timed(int n, Work work) throws Exception {
    long start = System.nanoTime();
    for (int i = 0; i < n; i++) {
      work.run();
    }
    return (System.nanoTime() - start) / 1e3 / n;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static void measure(Row row) throws Exception {
    double[] mine = new double[ROUNDS];
    double[] others = new double[ROUNDS];
    double[] ratios = new double[ROUNDS];
    for (int i = 0; i < 10; i++) {
      timed(row.n, row.own);
      timed(row.n, row.theirs);
    }
    for (int round = 0; round < ROUNDS; round++) {
      if (round % 2 == 0) {
        mine[round] = timed(row.n, row.own);
        others[round] = timed(row.n, row.theirs);
      } else {
        others[round] = timed(row.n, row.theirs);
        mine[round] = timed(row.n, row.own);
      }
      ratios[round] = others[round] / mine[round];
    }
    System.out.printf(
        "| %s | %.1f | %s | %.1f | %.2f |%n", row.name, median(mine), row.rival, median(others), median(ratios));
  }

  public static void main(String[] arguments) throws Exception {
    SynchronousQueue<String> there = new SynchronousQueue<>();
    SynchronousQueue<String> back = new SynchronousQueue<>();
    Thread echo = new Thread(() -> {
      try {
        while (true) {
          back.put(there.take());
        }
      } catch (InterruptedException end) {
        // The program has ended.
      }
    });
    echo.setDaemon(true);
    echo.start();
    ExecutorService executor = Executors.newSingleThreadExecutor(task -> {
      Thread thread = new Thread(task);
      thread.setDaemon(true);
      return thread;
    });
    List<Call> hundred = Collections.nCopies(100, READY);
    List<Callable<String>> hundredTasks = Collections.nCopies(100, () -> "x");
    Work trip = () -> {
      there.put("x");
      back.take();
    };
    String queues = "a round trip by SynchronousQueue";
    System.out.println("| palitra | us | rival | us | ratio |\n|---|---|---|---|---|");
    measure(new Row("a ready job", 2000, () -> Palitra.run(READY), queues, trip));
    measure(new Row("a job submitted, and its reply", 200, () -> Palitra.submit(READY).get(), queues, trip));
    Work submit = () -> executor.submit(() -> "x").get();
    measure(new Row("a ready job", 2000, () -> Palitra.run(READY), "Executor.submit and get", submit));
    Work gather = () -> Palitra.gather(hundred, null, false);
    measure(new Row("a gather of 100", 20, gather, "invokeAll of 100", () -> executor.invokeAll(hundredTasks)));
  }
}
