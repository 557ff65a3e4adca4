package palitra;

import java.nio.charset.StandardCharsets;

/** What a finished job leaves, and what one item of a stream is. JSON is text, for the mapper of your choice. */
public final class Reply {
  private final Format format;
  private final byte[] bytes;

  Reply(Format format, byte[] bytes) {
    this.format = format;
    this.bytes = bytes;
  }

  public Format format() {
    return format;
  }

  /** The bytes as they are: not a copy. */
  public byte[] bytes() {
    return bytes;
  }

  /** The bytes as UTF-8. */
  public String text() {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public String toString() {
    return text();
  }
}
