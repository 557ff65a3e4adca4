# frozen_string_literal: true

# Running jobs: replies, failures, limits, gathers and jobs that are waited for.

require_relative "helper"

class TestRun < TestCase
  def test_replies_have_the_format_of_their_job
    runner = runner_for(config: { "test.configured" => { text: "grüße" } })
    bytes = runner.run("palitra.echo", "grüße")
    assert_equal [Encoding::BINARY, "grüße".b], [bytes.encoding, bytes]
    text = runner.run("test.configured")
    assert_equal [Encoding::UTF_8, "grüße"], [text.encoding, text]
    assert_equal({ "seconds" => 0.01 }, runner.run("palitra.sleep", seconds: 0.01))
    assert_equal({ "seconds" => 0.01 }, runner.run("palitra.sleep", { "seconds" => 0.01 }))
    assert_equal({ "seconds" => 0.01 }, runner.run("palitra.sleep", '{"seconds":0.01}'.b))
    assert_equal "", runner.run("palitra.echo")
  end

  def test_a_payload_of_another_kind_is_refused_before_the_job
    runner = runner_for
    error = assert_raises(TypeError) { runner.run("palitra.echo", { a: 1 }) }
    assert_equal "the payload of palitra.echo is a String, not Hash", error.message
    error = assert_raises(ArgumentError) { runner.run("palitra.sleep", { seconds: 1 }, seconds: 2) }
    assert_match(/a payload and fields of one: seconds/, error.message)
    assert_raises(JSON::GeneratorError) { runner.run("palitra.sleep", seconds: Float::NAN) }
    [->(job) { runner.run(job) }, ->(job) { runner.submit(job) }, ->(job) { runner.gather([job]) }].each do |call|
      assert_raises(ArgumentError) { call.call("palitra.echo\0of no name") }
      assert_raises(TypeError) { call.call(7) }
    end
    assert_equal 0, runner.stats[:submitted]
  end

  def test_failures_are_classes_with_status_and_code
    runner = runner_for
    error = assert_raises(Palitra::JobError) { runner.run("test.fail", code: 404, message: "missing") }
    assert_equal [404, "missing", "PALITRA_JOB_FAILED"], [error.code, error.message, error.status]
    assert_kind_of Palitra::Error, error
    assert_equal "PALITRA_BAD_PAYLOAD", assert_raises(Palitra::BadPayloadError) {
                                          runner.run("palitra.sleep", [])
                                        }.status
    assert_equal "boom", assert_raises(Palitra::JobPanickedError) { runner.run("test.panic", "boom") }.message
    [-> { runner.run("palitra.eko") }, -> { runner.submit("palitra.eko") }, lambda {
                                                                              runner.gather(["palitra.eko"])
                                                                            }].each do |call|
      assert_match(/nearest is "palitra\.echo"/, assert_raises(Palitra::UnknownJobError, &call).message)
    end
  end

  def test_a_runner_has_the_limits_of_its_options
    runner = runner_for(max_in_flight: 1, max_payload: 4, name: "mine")
    first = runner.submit("test.never")
    assert_raises(Palitra::BusyError) { runner.run("palitra.echo") }
    first.cancel
    assert_raises(Palitra::CancelledError) { first.value }
    eventually { runner.stats[:running].zero? }
    assert_raises(Palitra::TooLargeError) { runner.run("palitra.echo", "12345") }
    assert_match(/max_in_flight is a count, not -1/, assert_raises(ArgumentError) do
                                                       runner_for(max_in_flight: -1)
                                                     end.message)
    assert_raises(ArgumentError) { runner_for(max_payload: "4") }
    assert_raises(ArgumentError) { runner_for(name: "a\0b") }
    assert_raises(ArgumentError) { runner_for(unknown: 1) }
    assert_raises(Palitra::InvalidArgumentError) { runner_for(worker_threads: 1_000_000) }
    assert_raises(Palitra::InvalidArgumentError) { runner_for(config: [1]) }
  end

  def test_a_timeout_cancels_the_job_also_one_that_never_yields
    runner = runner_for
    assert_raises(Palitra::TimeoutError) { runner.run("test.never", timeout: 0.01) }
    assert_raises(Palitra::TimeoutError) { runner.run("test.spin", { seconds: 0.2 }, timeout: 0.01) }
    assert_raises(Palitra::TimeoutError) { runner.gather(["test.never"] * 3, timeout: 0.01) }
    assert_raises(Palitra::TimeoutError) { runner.submit("test.never", timeout: 0.01).value }
    [-1, "1", Float::NAN, Complex(1, 1)].each do |timeout|
      assert_raises(ArgumentError) { runner.run("palitra.echo", timeout:) }
    end
    assert_equal "x", runner.run("palitra.echo", "x", timeout: Float::INFINITY)
  end

  def test_a_gather_keeps_the_order_and_says_which_failed
    runner = runner_for
    jobs = [["palitra.sleep", { seconds: 0.02 }], ["test.fail", { code: 1, message: "no" }], ["palitra.echo", "c"]]
    assert_equal 1, assert_raises(Palitra::JobError) { runner.gather(jobs) }.code
    slept, failed, echoed = runner.gather(jobs, settled: true)
    assert_equal [{ "seconds" => 0.02 }, 1, "c"], [slept, failed.code, echoed]
    assert_equal [], runner.gather([])
    many = Array.new(10_000, &:to_s)
    assert_equal(many, runner.gather(many.map { |text| ["palitra.echo", text] }))
  end

  def test_a_gather_takes_payloads_of_any_encoding_together
    texts = ["\xFF\0\xFE".b, "grüße", "grüße".encode(Encoding::UTF_16LE), "grüße".encode(Encoding::ISO_8859_1), ""]
    assert_equal(texts.map(&:b), runner_for.gather(texts.map { |text| ["palitra.echo", text] }))
  end

  def test_a_gather_that_is_refused_cancels_what_it_had_submitted
    runner = runner_for(max_in_flight: 2)
    assert_raises(Palitra::BusyError) { runner.gather(["test.never"] * 3) }
    eventually { runner.stats[:cancelled] == 2 }
  end

  def test_a_fail_fast_gather_cancels_the_rest_at_the_first_failure
    runner = runner_for
    jobs = ["test.never", ["test.fail", { code: 1, message: "no" }], "test.never"]
    assert_equal 1, assert_raises(Palitra::JobError) { runner.gather(jobs, fail_fast: true) }.code
    eventually { runner.stats[:cancelled] == 2 }
  end

  def test_a_submitted_job_can_be_awaited_cancelled_and_asked_for_its_progress
    runner = runner_for
    job = runner.submit("test.progress", steps: [[1, 4], [3, 4]], finish: true)
    assert_same job, job.wait
    2.times { assert_equal "", job.value }
    assert_equal [3, 4], job.progress
    never = runner.submit("test.never")
    assert_equal [nil, nil, false, [0, 0]], [never.wait(0), never.wait(0.01), never.finished?, never.progress]
    assert_same never, never.cancel.cancel
    2.times { assert_raises(Palitra::CancelledError) { never.value } }
  end

  def test_a_runner_that_was_shut_down_refuses_and_one_that_was_closed_is_gone
    job = nil
    runner = Palitra::Runner.open(library: TEST_JOBS) do |open|
      job = open.submit("palitra.sleep", seconds: 0.05)
      assert open.shutdown(grace: 60)
      refute_predicate open, :alive?
      assert_raises(Palitra::ShutDownError) { open.run("palitra.echo") }
      open
    end
    assert_equal({ "seconds" => 0.05 }, job.value)
    runner.close
    assert_raises(Palitra::InvalidHandleError) { runner.run("palitra.echo") }
    assert_raises(Palitra::InvalidHandleError) { runner.stats }
    assert_raises(ArgumentError) { runner_for.shutdown(grace: -1) }
  end

  def test_the_global_runner_is_made_anew_after_its_shutdown
    Palitra.run("palitra.echo")
    assert_predicate Palitra, :alive?
    assert Palitra.shutdown
    refute_predicate Palitra, :alive?
    assert_equal "again", Palitra.run("palitra.echo", "again")
  end

  def test_jobs_have_documentation
    echo = Palitra.jobs.find { |job| job.name == "palitra.echo" }
    assert_equal %i[bytes bytes], [echo.input, echo.output]
    assert_match(/\w/, echo.doc)
  end

  def test_what_is_no_library_is_refused_with_a_reason
    assert_match(/cannot open shared object file/, assert_raises(LoadError) { Palitra.load("/nowhere/lib.so") }.message)
    assert_match(/not a library of palitra/, assert_raises(LoadError) { Palitra.load("libc.so.6") }.message)
  end
end
