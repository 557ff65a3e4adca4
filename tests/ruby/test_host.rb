# frozen_string_literal: true

# Jobs of the program, called by itself and by jobs of the library, with every way to end.

require_relative "helper"

class TestHost < TestCase
  # "café" in Latin-1, which claims to be UTF-8.
  LATIN = [99, 97, 102, 0xE9].pack("C*").force_encoding(Encoding::UTF_8)

  def test_a_block_is_a_job_and_what_it_returns_is_the_reply_by_its_type
    runner = runner_for
    runner.register("host.sum") { |payload| payload["numbers"].sum }
    runner.register("host.upper", input: :text) { |text, _call| text.upcase }
    runner.register("host.bytes", input: :bytes) { |bytes| bytes.reverse.b }
    runner.register("host.nothing", input: :bytes) { nil }
    assert_equal 6, runner.run("host.sum", numbers: [1, 2, 3])
    assert_equal "GRÜSSE", runner.run("host.upper", "grüsse")
    assert_equal "\x03\x02".b, runner.run("host.bytes", "\x02\x03".b)
    assert_equal "", runner.run("host.nothing")
    assert_raises(Palitra::BadPayloadError) { runner.run("host.sum", "{".b) }
  end

  def test_what_a_block_raises_is_the_failure
    runner = runner_for
    runner.register("host.code", input: :bytes) { raise Palitra::JobError.new("no such user", code: 404) }
    runner.register("host.bug", input: :bytes) { nil.x }
    error = assert_raises(Palitra::JobError) { runner.run("host.code") }
    assert_equal [404, "no such user"], [error.code, error.message]
    error = assert_raises(Palitra::JobError) { runner.run("host.bug") }
    assert_equal 0, error.code
    assert_match(/NoMethodError/, error.message)
    [1 << 31, "E7"].each do |code|
      other = runner_for
      other.register("host.code", input: :bytes) { raise Palitra::JobError.new("no", code:) }
      error = assert_raises(Palitra::JobError) { other.run("host.code") }
      assert_equal [0, "no (its code #{code.inspect} is no 32-bit number)"], [error.code, error.message]
    end
  end

  def test_a_failure_that_is_no_standard_error_fails_the_job_alone
    runner = runner_for
    runner.register("host.later", input: :bytes) { raise NotImplementedError, "not yet" }
    runner.register("host.deep", input: :bytes) { deep }
    { "host.later" => /NotImplementedError: not yet/, "host.deep" => /SystemStackError/ }.each do |name, message|
      assert_match message, assert_raises(Palitra::JobError) { runner.run(name) }.message
    end
  end

  def deep
    deep + 1
  end

  def test_a_text_that_is_not_utf8_fails_the_job_and_says_so
    runner = runner_for
    runner.register("host.text", input: :bytes) { LATIN }
    runner.register("host.items", input: :bytes) { ["first", LATIN, "last"].each }
    runner.register("host.message", input: :bytes) { raise Palitra::JobError, "no #{LATIN}" }
    assert_match(/not UTF-8: "caf�"/, assert_raises(Palitra::JobError) { runner.run("host.text") }.message)
    assert_equal "no caf�", assert_raises(Palitra::JobError) { runner.run("host.message") }.message
    items = []
    error = assert_raises(Palitra::JobError) { runner.stream("host.items") { |item| items << item } }
    assert_equal ["first"], items
    assert_match(/not UTF-8/, error.message)
  end

  def test_the_items_of_an_enumerator_are_the_jobs_at_the_pace_of_their_reader
    runner = runner_for
    made = 0
    runner.register("host.count", input: :text) do |text|
      Enumerator.new { |items| Integer(text).times { |i| items << (made = i).to_s } }
    end
    items = runner.stream("host.count", "1000")
    assert_equal %w[0 1], items.first(2)
    runner.run("palitra.sleep", seconds: 0.05)
    assert_operator made, :<, 40
    assert_equal 1000, runner.stream("host.count", "1000").count
  end

  def test_a_timeout_ends_the_wait_for_a_reader
    runner = runner_for
    raised = Queue.new
    runner.register("host.rows", input: :bytes) do |_, call|
      Timeout.timeout(0.05) { loop { call.send_item("unread") } }
    rescue Timeout::Error => e
      raised << e.class
      nil
    end
    job = runner.submit("host.rows")
    assert_equal Timeout::Error, raised.pop
    assert_equal "", job.value
  end

  def test_a_call_knows_when_its_answer_is_not_needed_any_more
    runner = runner_for
    begun = []
    ended = Queue.new
    runner.register("host.wait", input: :text) do |text, call|
      begun << text
      call.progress(1, 2)
      sleep 0.001 until call.cancelled?
      ended << text
    end
    job = runner.submit("host.wait", "cancelled")
    eventually { job.progress == [1, 2] }
    job.cancel
    assert_equal "cancelled", ended.pop
    # It may pass before anybody takes the call, on a busy machine: then once more.
    [0.02, 0.2, 2].each do |timeout|
      assert_raises(Palitra::TimeoutError) { runner.run("host.wait", "timeout", timeout:) }
      break if begun.include?("timeout")
    end
    assert_equal "timeout", ended.pop
    job = runner.submit("host.wait", "shut down")
    eventually { job.progress == [1, 2] }
    runner.shutdown
    last = ended.pop
    last = ended.pop while last == "timeout"
    assert_equal "shut down", last
  end

  def test_a_registered_job_comes_before_the_librarys_on_its_own_runner_alone
    runner = runner_for
    runner.register("palitra.echo", input: :bytes) { "fake" }
    assert_equal "fake", runner.run("palitra.echo", "x")
    assert_equal "x", runner_for.run("palitra.echo", "x")
    assert_raises(Palitra::InvalidArgumentError) { runner.register("palitra.echo") { nil } }
    assert_raises(ArgumentError) { runner.register("host.no_block") }
    assert_raises(ArgumentError) { runner.register("host.xml", input: :xml) { nil } }
  end

  def test_many_calls_are_answered_side_by_side
    runner = runner_for
    runner.register("host.later", input: :text) { |text| text.tap { sleep 0.01 } }
    jobs = Array.new(200) { |i| ["host.later", i.to_s] }
    assert_equal jobs.map(&:last), runner.gather(jobs)
  end

  # The system refuses a thread where the program says so.
  REFUSING = <<~RUBY
    require "palitra"
    module Refusing
      attr_accessor :refuses

      def new(...)
        raise ThreadError, "can't create Thread: Resource temporarily unavailable" if refuses&.call

        super
      end
    end
    Thread.singleton_class.prepend(Refusing)
    runner = Palitra::Runner.new
    echo = ->(text) { runner.run("host.echo", text, timeout: 60) rescue [$!.class, $!.message] }
  RUBY

  def test_a_call_for_which_the_system_refuses_a_thread_fails_alone
    code, output, errors = program(REFUSING + <<~RUBY)
      runner.register("host.echo", input: :text) { |text| text }
      times = 0
      Thread.refuses = -> { (times += 1) == 2 }
      puts %w[first second third].map(&echo)
    RUBY
    refused = "ThreadError: can't create Thread: Resource temporarily unavailable"
    assert_equal [0, "first\nPalitra::JobError\n#{refused}\nthird\n", ""], [code, output, errors]
  end

  def test_what_the_system_refuses_a_registration_it_refuses_at_once
    code, output, errors = program(REFUSING + <<~RUBY)
      register = -> { runner.register("host.echo", input: :text) { |text| text } && "registered" rescue $!.class }
      Process.setrlimit(:NOFILE, 40)
      held = []
      (held << File.open("/dev/null") while true) rescue nil
      puts register.call
      held.each(&:close)
      Thread.refuses = -> { true }
      puts register.call
      Thread.refuses = nil
      puts register.call, echo.call("text")
    RUBY
    assert_equal [0, "Palitra::InternalError\nThreadError\nregistered\ntext\n", ""], [code, output, errors]
  end

  def test_a_closed_or_forgotten_runner_leaves_no_thread
    threads = Thread.list.size
    Palitra::Runner.open(library: TEST_JOBS) { |runner| runner.register("host.echo") { |value| value } }
    assert_equal threads, Thread.list.size
    forget
    eventually { GC.start || Thread.list.size == threads }
  end

  def forget
    Palitra::Runner.new(library: TEST_JOBS).register("host.echo") { |value| value }
    nil
  end
end
