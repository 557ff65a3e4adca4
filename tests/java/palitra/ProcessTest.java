package palitra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import palitra.Jobs.Ended;

/** The end of a process with jobs in flight, Ctrl-C, and the program of the README. */
@Timeout(120)
final class ProcessTest {
  private static Ended ends(String way, String signal) throws Exception {
    return Jobs.program(signal, "palitra.Program", way);
  }

  @Test
  @DisplayName("a process may end with jobs in flight: at the end of main, by exit, by an exception")
  void inFlight() throws Exception {
    assertEquals(new Ended("", 0), ends("last line", null));
    assertEquals(new Ended("", 3), ends("exit", null));
    Ended ended = ends("exception", null);
    assertEquals(1, ended.code());
    assertTrue(ended.output().contains("IllegalStateException: mine"), ended.output());
  }

  @Test
  @DisplayName("Ctrl-C ends a program that waits")
  void interrupted() throws Exception {
    assertEquals(new Ended("waits\n", 130), ends("waits", "INT"));
  }

  @Test
  @DisplayName("a hundred thousand runs leave the memory as it was")
  void memory() throws Exception {
    // A heap that is touched as the VM starts, and the compiler that is done early: what grows beside is a leak.
    List<String> program = List.of("-Xms64m", "-Xmx64m", "-XX:+UseSerialGC", "-XX:+AlwaysPreTouch",
        "-XX:TieredStopAtLevel=1", "palitra.Program", "memory");
    Ended ended = Jobs.program(null, program.toArray(String[]::new));
    assertEquals(0, ended.code(), ended.output());
    long grown = Long.parseLong(ended.output().trim());
    assertTrue(grown < 8e6, grown + " bytes more");
  }

  @Test
  @DisplayName("a wait keeps its job from being collected, which would cancel a job with items")
  void held() throws Exception {
    // In compiled code nothing but the wait itself refers to the job.
    List<String> program = List.of("-Xcomp", "-XX:TieredStopAtLevel=1", "-XX:CompileCommand=quiet",
        "-XX:CompileCommand=compileonly,palitra.*::*", "palitra.Program", "held");
    assertEquals(new Ended("waits\n", 0), Jobs.program(null, program.toArray(String[]::new)));
  }

  // No thread but the program's own is made while the system refuses them: none that compiles or collects.
  private static Ended refused(String what) throws Exception {
    return Jobs.program(null, "-Xmx32m", "-Xms32m", "-Xss16m", "-Xint", "-XX:+UseSerialGC", "-Xlog:disable",
        "-Djava.util.concurrent.ForkJoinPool.common.parallelism=1", "palitra.Refused", what);
  }

  @Test
  @DisplayName("a reply for which the heap has no room fails its job alone")
  void heap() throws Exception {
    String failure = "TOO_LARGE: there is no room in the heap for 100000000 bytes";
    assertEquals(new Ended(failure + "\nthen\n", 0), refused("a reply"));
  }

  @Test
  @DisplayName("a thread that the system refuses at the first use is made at the next")
  void dispatcher() throws Exception {
    assertEquals(new Ended("refused\nthen\n", 0), refused("the dispatcher"));
  }

  @Test
  @DisplayName("a future whose callbacks the system refuses a thread is completed later, and holds up no other")
  void callbacks() throws Exception {
    String lines = "{\"seconds\":0.1}\nfalse\nCANCELLED: the job was cancelled\nthen\n";
    assertEquals(new Ended(lines, 0), refused("a callback"));
  }

  @Test
  @DisplayName("the README's first program runs as it stands")
  void readme() throws Exception {
    String text = Files.readString(Path.of("bindings/java/README.md"));
    Matcher program = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(text);
    Matcher printed = Pattern.compile("```text\n(.*?)```", Pattern.DOTALL).matcher(text);
    program.find();
    printed.find();
    Path file = Files.createTempFile("Hello", ".java");
    Files.writeString(file, program.group(1));
    assertEquals(new Ended(printed.group(1), 0), Jobs.program(null, file.toString()));
    Files.delete(file);
  }
}
