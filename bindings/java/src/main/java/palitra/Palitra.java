package palitra;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Jobs on the global runner of the library that comes with palitra. {@link Runner} says what each does. */
public final class Palitra {
  private Palitra() {}

  /** The library itself. */
  public static Library library() {
    return Library.shipped();
  }

  /** The global runner. */
  public static Runner runner() {
    return library().global();
  }

  public static Reply run(String job, String payload) throws InterruptedException {
    return runner().run(new Call(job, payload), null);
  }

  public static Reply run(Call call) throws InterruptedException {
    return runner().run(call, null);
  }

  public static Reply run(Call call, Duration timeout) throws InterruptedException {
    return runner().run(call, timeout);
  }

  public static CompletableFuture<Reply> runAsync(Call call) {
    return runner().runAsync(call, null);
  }

  public static CompletableFuture<Reply> runAsync(Call call, Duration timeout) {
    return runner().runAsync(call, timeout);
  }

  public static List<Reply> gather(Call... calls) throws InterruptedException {
    return runner().gather(calls);
  }

  public static List<Reply> gather(List<Call> calls, Duration timeout, boolean failFast) throws InterruptedException {
    return runner().gather(calls, timeout, failFast);
  }

  public static Job submit(Call call) {
    return runner().submit(call);
  }

  public static Items stream(Call call) {
    return runner().stream(call);
  }
}
