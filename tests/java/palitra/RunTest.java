package palitra;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static palitra.Jobs.assertStatus;
import static palitra.Jobs.until;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One job and many, on a runner and on the global one: replies, failures, limits, futures, cancellation. */
@Timeout(60)
final class RunTest {
  private static final Call NEVER = new Call("test.never");
  private static final Call FAIL = new Call("test.fail", "{\"code\":404,\"message\":\"missing\"}");
  private static final Call SLEEP = new Call("palitra.sleep", "{\"seconds\":0.05}");

  private final Runner runner = Jobs.runner();

  @AfterEach
  void close() {
    runner.close();
  }

  @Test
  @DisplayName("a payload and a reply follow the format of the job")
  void formats() throws Exception {
    Reply echo = Palitra.run("palitra.echo", "grüße");
    assertEquals("grüße", echo.text());
    assertEquals(Format.BYTES, echo.format());
    assertArrayEquals(new byte[] {0, -1}, Palitra.run(new Call("palitra.echo", new byte[] {0, -1})).bytes());
    assertEquals(Format.JSON, Palitra.run("palitra.sleep", "{\"seconds\":0}").format());
    byte[] large = new byte[8 << 20];
    large[large.length - 1] = 7;
    assertArrayEquals(large, Palitra.run(new Call("palitra.echo", large)).bytes());
    assertTrue(Palitra.library().jobs().stream().anyMatch(job -> job.name().equals("palitra.sleep")));
  }

  @Test
  @DisplayName("what is no job, no payload, no time or no count is refused with a reason")
  void arguments() {
    assertThrows(NullPointerException.class, () -> new Call("palitra.echo", (byte[]) null));
    assertThrows(NullPointerException.class, () -> new Call(null));
    assertThrows(IllegalArgumentException.class, () -> new Call("palitra.echo\0"));
    assertThrows(IllegalArgumentException.class, () -> runner.run(NEVER, Duration.ofSeconds(-1)));
    assertThrows(IllegalArgumentException.class, () -> new Runner.Options().maxInFlight(-1));
    assertThrows(IllegalArgumentException.class, () -> new Runner(Jobs.LIBRARY, new Runner.Options().name("a\0b")));
    assertStatus(
        Status.INVALID_ARGUMENT, () -> new Runner(Jobs.LIBRARY, new Runner.Options().workerThreads(1_000_000)));
    assertThrows(IllegalArgumentException.class, () -> Library.load(Path.of("/nowhere.so")));
    assertThrows(IllegalArgumentException.class, () -> Library.open("libc.so.6"));
  }

  @Test
  @DisplayName("every failure has its status, its code and its message, and names the line that asked")
  void failures() {
    JobException failure = (JobException) assertStatus(Status.JOB_FAILED, () -> runner.run(FAIL));
    assertEquals(404, failure.code());
    assertEquals("missing", failure.getMessage());
    assertTrue(List.of(failure.getStackTrace()).toString().contains("RunTest.java"));
    assertStatus(Status.BAD_PAYLOAD, () -> runner.run("palitra.sleep", "[]"));
    assertEquals("boom", assertStatus(Status.JOB_PANICKED, () -> runner.run("test.panic", "boom")).getMessage());
    Call unknown = new Call("palitra.eko");
    assertNearest(() -> runner.run(unknown));
    assertNearest(() -> runner.submit(unknown));
    assertNearest(() -> runner.gather(new Call("palitra.echo"), unknown));
    CompletionException async = assertThrows(CompletionException.class, () -> runner.runAsync(unknown).join());
    assertTrue(async.getCause().getMessage().contains("nearest is \"palitra.echo\""));
  }

  private static void assertNearest(org.junit.jupiter.api.function.Executable call) {
    String message = assertStatus(Status.UNKNOWN_JOB, call).getMessage();
    assertTrue(message.contains("nearest is \"palitra.echo\""), message);
  }

  @Test
  @DisplayName("a runner has the limits and the configuration of its options")
  void limits() throws Exception {
    Runner.Options options = new Runner.Options().maxInFlight(1).maxPayload(4).name("mine");
    try (Runner limited = new Runner(Jobs.LIBRARY, options)) {
      Job first = limited.submit(NEVER);
      assertStatus(Status.BUSY, () -> limited.run("palitra.echo", ""));
      first.cancel();
      assertStatus(Status.CANCELLED, first::get);
      until(() -> limited.stats().running() == 0);
      assertStatus(Status.TOO_LARGE, () -> limited.run("palitra.echo", "12345"));
    }
    options = new Runner.Options().config("{\"test.configured\":{\"text\":\"given\"}}");
    try (Runner configured = new Runner(Jobs.LIBRARY, options)) {
      assertEquals("given", configured.run(new Call("test.configured")).text());
    }
  }

  @Test
  @DisplayName("a timeout cancels the job, also one that never yields")
  void timeouts() {
    Duration soon = Duration.ofMillis(10);
    assertStatus(Status.DEADLINE, () -> runner.run(NEVER, soon));
    assertStatus(Status.DEADLINE, () -> runner.run(new Call("test.spin", "{\"seconds\":0.2}"), soon));
    assertStatus(Status.DEADLINE, () -> runner.gather(List.of(NEVER, NEVER), soon, false));
    assertStatus(Status.DEADLINE, () -> runner.submit(NEVER, soon, 0).get());
    assertThrows(CompletionException.class, () -> runner.runAsync(NEVER, Duration.ZERO).join());
  }

  @Test
  @DisplayName("a gather keeps the order, and throws what failed first in it")
  void gathers() throws Exception {
    assertEquals(404, ((JobException) assertStatus(Status.JOB_FAILED, () -> runner.gather(SLEEP, FAIL))).code());
    assertEquals(List.of(), runner.gather());
    List<Call> many = IntStream.range(0, 10_000).mapToObj(i -> new Call("palitra.echo", "" + i)).toList();
    List<String> replies = runner.gather(many).stream().map(Reply::text).toList();
    assertEquals(many.stream().map(call -> new String(call.payload())).toList(), replies);
  }

  @Test
  @DisplayName("a fail-fast gather cancels the rest at the first failure")
  void failFast() throws Exception {
    assertStatus(Status.JOB_FAILED, () -> runner.gather(List.of(NEVER, FAIL, NEVER), null, true));
    until(() -> runner.stats().cancelled() == 2);
  }

  @Test
  @DisplayName("a future composes, and its callbacks may run jobs")
  void futures() throws Exception {
    CompletableFuture<String> both =
        runner
            .runAsync(SLEEP)
            .thenCompose(slept -> runner.runAsync(new Call("test.nested", "then")))
            .thenApply(Reply::text);
    assertEquals("then", both.get());
    CompletableFuture<Reply> inner = runner.runAsync(SLEEP).thenApply(slept -> runner.submit(SLEEP).future().join());
    assertEquals("{\"seconds\":0.05}", inner.get().text());
    assertTrue(runner.runAsync(new Call("palitra.echo")).isDone(), "an inline job is ready at once");
  }

  @Test
  @DisplayName("cancelling the future cancels the job")
  void cancels() throws Exception {
    CompletableFuture<Reply> never = runner.runAsync(NEVER);
    assertTrue(never.cancel(true));
    assertTrue(never.isCancelled());
    Job job = runner.submit(NEVER);
    job.future().cancel(false);
    until(() -> runner.stats().cancelled() == 2);
    assertStatus(Status.CANCELLED, job::get);
    assertFalse(runner.runAsync(new Call("palitra.echo")).cancel(true));
  }

  @Test
  @DisplayName("an interrupt ends a wait, and cancels what a run, a gather or a reader waits for")
  void interrupts() throws Exception {
    List<org.junit.jupiter.api.function.Executable> waits = List.of(
        () -> assertThrows(InterruptedException.class, () -> runner.run(NEVER)),
        () -> assertThrows(InterruptedException.class, () -> runner.gather(NEVER, NEVER)),
        () -> assertThrows(java.util.concurrent.CancellationException.class, () -> runner.stream(NEVER).hasNext()));
    for (org.junit.jupiter.api.function.Executable wait : waits) {
      CompletableFuture<Void> ended = new CompletableFuture<>();
      Thread thread = new Thread(() -> {
        try {
          wait.execute();
          ended.complete(null);
        } catch (Throwable failure) {
          ended.completeExceptionally(failure);
        }
      });
      thread.start();
      thread.interrupt();
      ended.get(30, TimeUnit.SECONDS);
    }
    until(() -> runner.stats().cancelled() == 4);
  }

  @Test
  @DisplayName("an interrupt ends the grace period of a shutdown, and stays set")
  void interruptedShutdown() throws Exception {
    Job job = runner.submit(NEVER);
    CompletableFuture<Boolean> wasInterrupted = new CompletableFuture<>();
    Thread thread = new Thread(
        () -> wasInterrupted.complete(runner.shutdown(Duration.ofHours(1)) && Thread.currentThread().isInterrupted()));
    thread.start();
    thread.interrupt();
    assertTrue(wasInterrupted.get(30, TimeUnit.SECONDS));
    assertStatus(Status.CANCELLED, job::get);
  }

  @Test
  @DisplayName("a submitted job can be waited for and asked for its progress")
  void jobs() throws Exception {
    Job job = runner.submit(new Call("test.progress", "{\"steps\":[[1,4],[3,4]],\"finish\":true}"));
    job.get();
    job.get(Duration.ZERO);
    assertEquals(new Job.Progress(3, 4), job.progress());
    Job never = runner.submit(NEVER);
    assertThrows(TimeoutException.class, () -> never.get(Duration.ofMillis(10)));
    assertEquals(new Job.Progress(0, 0), never.progress());
    Job held = Jobs.runner().submit(new Call("palitra.sleep", "{\"seconds\":0.3}"));
    System.gc();
    assertEquals("{\"seconds\":0.3}", held.get().text(), "a job holds its runner");
  }

  @Test
  @DisplayName("a thousand jobs that are waited for hold no thread")
  void threads() throws Exception {
    runner.run("palitra.sleep", "{\"seconds\":0.01}");
    int before = Thread.activeCount();
    List<CompletableFuture<Reply>> sleeping = IntStream.range(0, 1000).mapToObj(i -> runner.runAsync(NEVER)).toList();
    until(() -> runner.stats().running() == 1000);
    assertTrue(Thread.activeCount() <= before + 2);
    sleeping.forEach(future -> future.cancel(true));
  }

  @Test
  @DisplayName("many threads run jobs at the same time")
  void together() {
    List<String> replies =
        IntStream.range(0, 2000)
            .parallel()
            .mapToObj(i -> runner.submit(new Call("test.nested", "" + i)).future().join().text())
            .toList();
    assertEquals(IntStream.range(0, 2000).mapToObj(i -> "" + i).toList(), replies);
  }

  @Test
  @DisplayName("a runner that was shut down refuses, and one that was closed is gone")
  void ends() throws Exception {
    Job job = runner.submit(SLEEP);
    assertTrue(runner.shutdown(Duration.ofSeconds(60)));
    assertEquals("{\"seconds\":0.05}", job.get().text());
    assertFalse(runner.isAlive());
    assertStatus(Status.SHUT_DOWN, () -> runner.run(NEVER));
    runner.close();
    runner.close();
    assertStatus(Status.INVALID_HANDLE, () -> runner.run(NEVER));
    assertStatus(Status.INVALID_HANDLE, runner::stats);
  }

  @Test
  @DisplayName("the global runner is made anew after its shutdown")
  void global() throws Exception {
    Runner global = Jobs.LIBRARY.global();
    global.run("palitra.echo", "");
    assertTrue(global.isAlive());
    global.close();
    assertFalse(global.isAlive());
    assertEquals("again", global.run("palitra.echo", "again").text());
  }
}
