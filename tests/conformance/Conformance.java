package palitra;

import com.sun.jna.Native;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The conformance scenarios through the Java package: carries out the steps of a file, prints what came of each.
 *
 * <p>README.md tells the format and what each verb means. Called by tests/conformance.rs, after
 * tests/java/conformance.sh.
 *
 * <p>It judges nothing and exits with 0 when it has come to the end of the file. A token is the job that {@code submit}
 * returns. What a program in Java cannot do, or cannot get wrong, is done by C functions beneath, and said there.
 */
public final class Conformance {
  private static final long FORGED = 0x0123456789abcdefL;
  private static final Pattern NAMED = Pattern.compile("([a-z_]+)=(.*)");

  /** No code of Java may run on the runner's thread, nor fork. */
  interface Beneath extends com.sun.jna.Library {
    int beneath_callback(long token, long other, byte[] reply);

    int beneath_register(long runner, String job, String does);

    String beneath_note(String job);

    int beneath_fork(String call, long handle);
  }

  private interface Step<T> {
    T make() throws Exception;
  }

  private static final String PATH = System.getenv("PALITRA_LIBRARY_DIR") + "/libpalitra_test_jobs.so";
  private static final Functions FUNCTIONS = Library.open(PATH);
  private static final Beneath BENEATH =
      Native.load(Path.of("target/conformance-beneath.so").toAbsolutePath().toString(), Beneath.class);

  /**
   * A program never holds a token, and the package frees one as soon as its job has finished. Here they live to the end
   * of their scenario.
   */
  private static final Library LIBRARY = new Library(keepingTokens());

  private final Map<String, Runner> runners = new HashMap<>();
  private final Map<String, Token> tokens = new HashMap<>();
  private final Map<String, CompletableFuture<String>> threads = new HashMap<>();

  private static Functions keepingTokens() {
    Class<?>[] interfaces = {Functions.class};
    return (Functions) Proxy.newProxyInstance(Functions.class.getClassLoader(), interfaces, (proxy, method, given) -> {
      try {
        return method.getName().equals("palitra_token_free") ? null : method.invoke(FUNCTIONS, given);
      } catch (InvocationTargetException failure) {
        throw failure.getCause();
      }
    });
  }

  // ---- outcomes

  private static String trimmed(String text) {
    return text.endsWith(" ") ? text.substring(0, text.length() - 1) : text;
  }

  private static String failureOf(PalitraException failure) {
    String name = failure.status().name();
    return switch (failure.status()) {
      case JOB_FAILED -> trimmed(name + " " + ((JobException) failure).code() + " " + failure.getMessage());
      case BAD_PAYLOAD, JOB_PANICKED -> name + " " + failure.getMessage();
      default -> name;
    };
  }

  /** What a call that fills a reply came to. */
  private static String reply(Step<Reply> call) throws Exception {
    try {
      return trimmed("OK " + call.make().text());
    } catch (PalitraException failure) {
      return failureOf(failure);
    }
  }

  /** What a call that fills no reply came to. */
  private static String status(Step<?> call) throws Exception {
    try {
      call.make();
      return "OK";
    } catch (PalitraException failure) {
      return failureOf(failure);
    }
  }

  private static String nameOf(int status) {
    return Status.of(status).name();
  }

  private static Duration time(String word) {
    long number = Long.parseLong(word.replaceAll("\\D", ""));
    return word.endsWith("ms") ? Duration.ofMillis(number) : Duration.ofSeconds(number);
  }

  private static Call call(String job, String payload) {
    return new Call(job, payload.equals("-") ? "" : payload);
  }

  // ---- what steps give names to

  private static final class Token {
    private final Running running;
    private final Items items;
    private boolean isBare;

    /** Keeps the job, which would be cancelled if it were collected while its items wait to be read. */
    Token(Job job) {
      this.running = job.running();
      this.items = job.items();
    }

    /** What the handle alone gives. */
    String beneath() {
      return nameOf(FUNCTIONS.palitra_token_poll(running.token(), null));
    }

    String await(Duration time) throws Exception {
      if (isBare) {
        return beneath();
      }
      try {
        return reply(() -> time == null ? items.job().get() : items.job().get(time));
      } catch (TimeoutException passed) {
        return "PENDING";
      }
    }

    /** The dispatcher completes a job a moment after its token has finished. */
    String poll() throws Exception {
      return beneath().equals("PENDING") ? "PENDING" : await(null);
    }

    String cancel() {
      return nameOf(running.cancel());
    }

    String next() throws Exception {
      boolean[] isOver = {false};
      String outcome = reply(() -> {
        isOver[0] = !items.hasNext();
        return isOver[0] ? new Reply(Format.BYTES, new byte[0]) : items.next();
      });
      return isOver[0] && outcome.equals("OK") ? "END" : outcome;
    }

    void free() {
      isBare = true;
      FUNCTIONS.palitra_token_free(running.token());
    }
  }

  // ---- the verbs

  private String carryOut(String line) {
    List<String> words = new ArrayList<>(Arrays.asList(line.split(" ")));
    Map<String, String> named = new HashMap<>();
    for (Matcher last = last(words); last.matches(); last = last(words)) {
      named.put(last.group(1), last.group(2));
      words.remove(words.size() - 1);
    }
    try {
      return carryOut(words, named);
    } catch (Exception trouble) {
      return "error: " + trouble;
    }
  }

  private static Matcher last(List<String> words) {
    return NAMED.matcher(words.get(words.size() - 1));
  }

  private String carryOut(List<String> words, Map<String, String> named) throws Exception {
    String name = words.get(1);
    Runner runner = runners.get(name);
    Token token = tokens.get(name);
    return switch (words.get(0)) {
      case "runner" -> makeRunner(name, named);
      case "alive" -> String.valueOf(runner.isAlive());
      case "submit" -> submit(words, named.get("deadline"));
      case "submit_many" -> submitMany(runner, words.subList(2, words.size()));
      case "run" -> {
        Duration timeout = named.containsKey("timeout") ? time(named.get("timeout")) : null;
        yield reply(() -> runner.run(call(words.get(2), words.get(3)), timeout));
      }
      case "wait" -> token.await(words.size() > 2 ? time(words.get(2)) : null);
      case "poll" -> token.poll();
      case "cancel" -> token.cancel();
      case "gather" -> gather(words.subList(1, words.size()));
      case "next" -> token.next();
      case "drain" -> drain(token);
      case "progress" -> {
        Job.Progress progress = token.items.job().progress();
        yield "OK " + progress.done() + " " + progress.total();
      }
      case "free" -> {
        if (token != null) {
          token.free();
        } else {
          runner.close();
        }
        yield "OK";
      }
      // Nobody can make a job or a runner of a number.
      case "forged" -> nameOf(
          name.equals("token")
              ? FUNCTIONS.palitra_token_poll(FORGED, null)
              : FUNCTIONS.palitra_runner_submit(FORGED, "palitra.echo", null, 0, null, null));
      case "shutdown" -> shutdown(runner, time(words.get(2)));
      // The future is what tells of the end.
      case "ready" -> token.await(null);
      // The package registers no functions of Java as jobs.
      case "register" -> nameOf(BENEATH.beneath_register(runners.get(name).handle(), words.get(2), words.get(3)));
      case "note" -> BENEATH.beneath_note(name);
      case "callback" -> {
        byte[] filled = Library.emptyReply();
        BENEATH.beneath_callback(token.running.token(), tokens.get(words.get(3)).running.token(), filled);
        yield reply(() -> LIBRARY.take(filled));
      }
      case "thread" -> {
        List<String> step = words.subList(2, words.size());
        threads.put(name, CompletableFuture.supplyAsync(() -> carryOut(String.join(" ", step)), Conformance::begin));
        yield "OK";
      }
      case "join" -> threads.get(name).get();
      case "fork" -> fork(name, words.size() > 2 ? words.get(2) : null);
      default -> throw new IllegalArgumentException(words.get(0));
    };
  }

  private static void begin(Runnable step) {
    new Thread(step).start();
  }

  private String makeRunner(String name, Map<String, String> named) throws Exception {
    Runner.Options options = new Runner.Options().config(named.get("config"));
    options.maxInFlight(Long.parseLong(named.getOrDefault("max_in_flight", "0")));
    options.maxPayload(Long.parseLong(named.getOrDefault("max_payload", "0")));
    return status(() -> runners.put(name, new Runner(LIBRARY, options)));
  }

  private String submit(List<String> words, String deadline) throws Exception {
    Duration timeout = deadline == null ? null : time(deadline);
    Call call = call(words.get(3), words.get(4));
    return status(() -> {
      return tokens.put(words.get(1), new Token(runners.get(words.get(2)).submit(call, timeout, 0)));
    });
  }

  /** What {@code gather} submits with: no call of the package returns the jobs. */
  private String submitMany(Runner runner, List<String> words) {
    List<Call> calls = new ArrayList<>();
    for (int i = 0; i < words.size(); i += 3) {
      calls.add(call(words.get(i + 1), words.get(i + 2)));
    }
    List<Running> started = new ArrayList<>();
    int refused = runner.startMany(calls, null, started);
    for (int i = 0; i < started.size(); i++) {
      tokens.put(words.get(3 * i), new Token(new Job(started.get(i))));
    }
    return nameOf(refused) + " " + started.size();
  }

  /** A program gathers what it has not submitted yet. */
  private String gather(List<String> words) throws Exception {
    boolean failFast = words.get(0).equals("fail_fast");
    List<Token> gathered = words.stream().skip(failFast ? 1 : 0).map(tokens::get).toList();
    if (failFast) {
      CompletableFuture<Void> failed = new CompletableFuture<>();
      for (Token token : gathered) {
        token.items.job().future().exceptionally(failure -> {
          failed.complete(null);
          return null;
        });
      }
      failed.get(20, TimeUnit.SECONDS);
      gathered.forEach(Token::cancel);
    }
    List<String> outcomes = new ArrayList<>();
    for (Token token : gathered) {
      outcomes.add(token.await(null));
    }
    return String.join(" | ", outcomes);
  }

  private static String drain(Token token) throws Exception {
    List<String> items = new ArrayList<>();
    String outcome = token.next();
    for (; outcome.startsWith("OK"); outcome = token.next()) {
      items.add(outcome.substring(3));
    }
    items.add(outcome);
    return String.join(" ", items);
  }

  private static String shutdown(Runner runner, Duration grace) {
    try {
      return runner.shutdown(grace) ? "OK" : "PENDING";
    } catch (PalitraException failure) {
      return failureOf(failure);
    }
  }

  private String fork(String call, String name) {
    long handle = call.equals("wait") ? tokens.get(name).running.token() : 0;
    int ended = BENEATH.beneath_fork(call, call.equals("run") ? runners.get(name).handle() : handle);
    return ended < 0 ? "error: signal " + -ended : nameOf(ended);
  }

  private void freeEverything() {
    tokens.values().forEach(Token::free);
    runners.values().forEach(Runner::close);
    tokens.clear();
    runners.clear();
    threads.clear();
  }

  /** The argument is the path of the steps. */
  public static void main(String[] arguments) throws Exception {
    PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    Conformance conformance = new Conformance();
    String scenario = "";
    int steps = 0;
    for (String line : Files.readAllLines(Path.of(arguments[0]))) {
      if (line.startsWith("scenario ")) {
        conformance.freeEverything();
        scenario = line.substring("scenario ".length());
        steps = 0;
      } else if (!line.isEmpty()) {
        steps++;
        output.println(scenario + "\t" + steps + "\t" + conformance.carryOut(line));
      }
    }
    conformance.freeEverything();
    System.exit(0);
  }
}
