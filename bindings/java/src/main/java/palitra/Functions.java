package palitra;

import com.sun.jna.Pointer;

/**
 * The C ABI as JNA sees it. A handle is a struct of one 64-bit number, which the ABIs of Linux pass as that number. A
 * struct is an array of its bytes, which JNA copies in and out; a bool is its byte.
 */
interface Functions extends com.sun.jna.Library {
  int ABI_VERSION = 1;

  int ITEM_EVENTS = 1;
  int NO_ITEMS = 2;
  int INLINE_ONLY = 4;

  int palitra_abi_version();

  String palitra_version();

  String palitra_status_message(int status);

  void palitra_reply_free(byte[] reply);

  long palitra_job_count();

  int palitra_job_at(long index, byte[] out);

  String palitra_job_nearest(String name);

  int palitra_configure(String json);

  int palitra_runner_new(byte[] options, long[] out);

  int palitra_runner_global(long[] out);

  byte palitra_is_runner_alive();

  int palitra_shutdown_global_runner(long graceNs);

  byte palitra_runner_is_alive(long runner);

  int palitra_runner_shutdown(long runner, long graceNs);

  void palitra_runner_free(long runner);

  int palitra_runner_stats(long runner, byte[] out);

  int palitra_runner_submit(long runner, String job, byte[] data, long len, byte[] options, long[] out);

  int palitra_runner_submit_many(
      long runner, Pointer submissions, long n, byte[] options, long[] tokens, long[] taken);

  int palitra_runner_start(
      long runner, String job, byte[] data, long len, byte[] options, long[] token, byte[] reply);

  int palitra_token_poll(long token, byte[] out);

  int palitra_token_cancel(long token);

  int palitra_token_next(long token, long timeoutNs, byte[] item);

  int palitra_token_progress(long token, long[] done, long[] total);

  void palitra_token_free(long token);

  int palitra_queue_new(long[] out);

  void palitra_queue_free(long queue);

  int palitra_queue_next(long queue, long timeoutNs, byte[] events, long max, long[] n);
}
