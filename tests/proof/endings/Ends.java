import palitra.Call;
import palitra.Palitra;

/** See tests/proof/endings.py. */
final class Ends {
  public static void main(String[] arguments) throws InterruptedException {
    for (int i = 0; i < 8; i++) {
      Palitra.submit(new Call("palitra.sleep", "{\"seconds\": 100}"));
    }
    if (!Palitra.run("palitra.echo", "hello").text().equals("hello")) {
      throw new IllegalStateException("no echo");
    }
    System.exit(7);
  }
}
