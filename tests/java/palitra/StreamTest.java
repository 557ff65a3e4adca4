package palitra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static palitra.Jobs.assertStatus;
import static palitra.Jobs.until;

import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Streams: order, back-pressure, failures, and readers that leave. */
@Timeout(60)
final class StreamTest {
  private final Runner runner = Jobs.runner();

  @AfterEach
  void close() {
    runner.close();
  }

  private static Call stream(String members) {
    return new Call("test.stream", "{" + members + "}");
  }

  private static List<String> read(Items items) {
    List<String> all = new ArrayList<>();
    items.forEachRemaining(item -> all.add(item.text()));
    return all;
  }

  private static List<String> numbers(int n) {
    return IntStream.range(0, n).mapToObj(Integer::toString).toList();
  }

  @Test
  @DisplayName("every item arrives in order, however many there are")
  void order() throws Exception {
    Items items = runner.stream(stream("\"items\":5000"));
    assertEquals(numbers(5000), read(items));
    assertThrows(NoSuchElementException.class, items::next);
    Job job = runner.submit(stream("\"items\":40"), null, 1);
    assertEquals(numbers(40), read(job.items()));
    job.get();
  }

  @Test
  @DisplayName("items that were sent before the reader came are there, also when the job has ended")
  void late() throws Exception {
    Job job = runner.submit(stream("\"items\":3"));
    job.get();
    assertEquals(numbers(3), read(job.items()));
  }

  @Test
  @DisplayName("a failure is thrown after the items before it")
  void failure() {
    Items items = runner.stream(stream("\"items\":3,\"fail_at\":1"));
    assertEquals("0", items.next().text());
    assertEquals(7, ((JobException) assertStatus(Status.JOB_FAILED, items::hasNext)).code());
  }

  @Test
  @DisplayName("a job waits for a slow reader")
  void slow() throws Exception {
    Job job = runner.submit(stream("\"items\":40"));
    runner.run("palitra.sleep", "{\"seconds\":0.05}");
    assertEquals(1, runner.stats().running());
    assertEquals(numbers(40), read(job.items()));
  }

  @Test
  @DisplayName("a stream that is left early is cancelled as it is closed")
  void closed() throws Exception {
    try (Items items = runner.stream(stream("\"items\":1000"))) {
      assertEquals("0", items.next().text());
    }
    until(() -> runner.stats().cancelled() == 1);
  }

  @Test
  @DisplayName("a stream that nobody refers to any more does not wait for a reader forever")
  void forgotten() throws Exception {
    runner.submit(stream("\"items\":1000"));
    until(() -> {
      System.gc();
      return runner.stats().cancelled() == 1;
    });
  }

  @Test
  @DisplayName("a job whose items were all read runs on when nobody refers to it any more")
  void read() throws Exception {
    CompletableFuture<Reply> future = readAndForget();
    Jobs.collect();
    assertEquals(1, runner.stats().running());
    assertFalse(future.isDone());
  }

  private CompletableFuture<Reply> readAndForget() {
    Items items = runner.stream(stream("\"items\":3,\"forever\":true"));
    for (String number : numbers(3)) {
      assertEquals(number, items.next().text());
    }
    return items.job().future();
  }
}
