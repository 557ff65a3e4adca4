# frozen_string_literal: true

# The process: its end, Ctrl-C, forks, and what it holds after a hundred thousand jobs.

require_relative "helper"

class TestProcess < TestCase
  START = <<~RUBY
    require "palitra"
    def never = Palitra.submit("palitra.sleep", seconds: 3600)
  RUBY

  def ends(text, &)
    program(START + text, &)
  end

  def test_a_process_may_end_with_jobs_in_flight
    assert_equal [3, "", ""], ends("Thread.new { never.value }; never; Palitra.stream('palitra.echo'); exit 3")
    assert_equal [4, "", ""], ends("never; Palitra::Runner.new.submit('palitra.sleep', seconds: 60); exit! 4")
    assert_equal [0, "last\n", ""],
                 ends("at_exit { puts Palitra.run('palitra.echo', 'last') }; never; never.wait(0.05)")
    code, _, errors = ends("never; raise 'mine'")
    assert_equal 1, code
    assert_match(/mine \(RuntimeError\)/, errors)
    code, _, errors = ends("Palitra.run('palitra.sleep', [])")
    assert_equal 1, code
    assert_match(/Palitra::BadPayloadError/, errors)
  end

  # A call of a block waits for room for an item: nobody reads those that were sent.
  UNREAD = <<~RUBY
    waits = Queue.new
    runner = Palitra::Runner.new
    runner.register("host.rows", input: :bytes) do |_, call|
      4.times { |i| call.send_item(i.to_s) }
      waits << true
      call.send_item("the fifth")
    end
    job = runner.submit("host.rows", stream_items: 4)
    waits.pop
    sleep 0.1 # It waits by then, also on a busy machine.
  RUBY

  def test_a_process_may_end_while_a_block_waits_for_a_reader
    assert_equal [0, "", ""], ends("#{UNREAD}\njob.finished?")
    code, _, errors = ends("$stdout.sync = true\n#{UNREAD}\nputs 'waits'\njob.value") do |output, pid|
      output.gets
      Process.kill(:INT, pid)
    end
    assert_equal Signal.list["INT"], code
    assert_match(/Interrupt/, errors)
  end

  def test_an_end_does_not_wait_for_a_job_that_blocks_its_runner
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    ends(<<~RUBY)
      library = Palitra.load("#{TEST_JOBS.path}")
      runner = Palitra::Runner.new(library: library)
      runner.submit("test.hold", seconds: 30)
      sleep 0.1
    RUBY
    assert_operator Process.clock_gettime(Process::CLOCK_MONOTONIC) - start, :<, 15
  end

  def test_jobs_that_nobody_holds_any_more_leave_their_descriptors_to_others
    assert_equal [0, "", ""], ends(<<~RUBY)
      Process.setrlimit(:NOFILE, 40)
      200.times { never.wait(0.001) }
    RUBY
  end

  def test_runners_that_nobody_holds_any_more_leave_their_threads_to_others
    assert_equal [0, "", ""], ends(<<~RUBY)
      Process.setrlimit(:NOFILE, 60)
      200.times { Palitra::Runner.new.run("palitra.echo", "x") }
    RUBY
  end

  def test_ctrl_c_ends_a_wait
    ["never.value", "never.each { }", "Palitra.run('palitra.sleep', seconds: 3600)",
     "Palitra.gather([['palitra.sleep', { seconds: 3600 }]])"].each do |wait|
      code, _, errors = ends("$stdout.sync = true; puts 'waits'; #{wait}") do |output, pid|
        output.gets
        sleep 0.5 # It waits by then, also on a busy machine.
        Process.kill(:INT, pid)
      end
      assert_equal Signal.list["INT"], code, wait
      assert_match(/Interrupt/, errors)
    end
  end

  def test_ctrl_c_while_the_library_is_loaded_is_no_error_of_the_library
    code, _, errors = ends(<<~RUBY)
      FFI::DynamicLibrary.singleton_class.prepend(Module.new do
        def open(...)
          Process.kill(:INT, Process.pid)
          sleep 0.05
          super
        end
      end)
      never
    RUBY
    assert_equal Signal.list["INT"], code
    assert_match(/Interrupt/, errors)
  end

  def test_a_forked_child_has_a_global_runner_of_its_own_and_nothing_of_its_parents
    runner = runner_for
    job = runner.submit("test.never")
    done = runner.submit("palitra.echo", "done").wait
    assert_equal "parent", Palitra.run("palitra.echo", "parent")
    answer = in_child do
      calls = [-> { runner.run("palitra.echo") }, -> { job.value }, -> { job.cancel }, -> { job.progress },
               -> { job.each.first }, -> { runner.submit("palitra.echo") }, -> { runner.gather(["palitra.echo"]) },
               -> { runner.stats }, -> { runner.shutdown }]
      errors = calls.map { |call| assert_raises(Palitra::Error, &call).class }
      runner.close
      GC.start
      "#{Palitra.gather([%w[test child]].map { |_, text| ['palitra.echo', text] }).first} #{errors.uniq} #{done.value}"
    end
    assert_equal "child [Palitra::ForkedError] done", answer
    refute_predicate job, :finished?
    assert_equal "parent", runner.run("test.nested", "parent")
  end

  def test_children_of_children_run_jobs
    assert_equal("grandchild", in_child { in_child { Palitra.run("palitra.echo", "grandchild") } })
  end

  def test_a_hundred_thousand_jobs_leave_nothing_behind
    code, output, errors = ends(<<~RUBY)
      def memory = File.read("/proc/self/statm").split[1].to_i * 4096 / 1e6
      def descriptors = Dir.children("/proc/self/fd").size
      PENDING = Palitra::Runner.new(library: Palitra.load("#{TEST_JOBS.path}"))
      def work(rounds)
        rounds.times do
          Palitra.run("palitra.echo", "x" * 1000)
          next unless rand < 0.1
          PENDING.run("test.nested", "x" * 10_000)
          PENDING.submit("test.nested", "x" * 10_000).value
          Palitra.submit("palitra.echo", "x" * 1000)
          (Palitra.run("palitra.sleep", []) rescue nil)
        end
        Palitra.gather([["palitra.echo", "x" * 1000]] * 100)
        GC.start
      end
      work(20_000)
      before, opened = memory, descriptors
      work(100_000)
      puts memory - before < 20, descriptors - opened < 20
      puts memory - before, descriptors - opened
    RUBY
    assert_equal [0, "", "true\ntrue\n"], [code, errors, output.lines.first(2).join], output
  end

  private

  def in_child
    reading, writing = IO.pipe
    child = fork do
      writing.write(yield)
      writing.close
      exit!(0)
    rescue Exception => e # rubocop:disable Lint/RescueException -- told to the parent
      writing.write(e.full_message)
      writing.close
      exit!(1)
    end
    writing.close
    text = reading.read
    Process.wait(child)
    text
  end
end
