package palitra;

/** What the bytes of a payload or a reply are. */
public enum Format {
  BYTES,
  TEXT,
  JSON
}
