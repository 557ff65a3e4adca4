# frozen_string_literal: true

# Threads and fibers: who waits holds up nobody, and a wait can be interrupted.

require_relative "helper"
require "async"
require "net/http"
require "socket"

class TestThreads < TestCase
  class Stop < StandardError; end

  def wait_whatever_comes(job)
    Thread.current.report_on_exception = false
    Thread.handle_interrupt(Stop => :never) do
      Thread.handle_interrupt(Stop => :immediate) { job.wait }
    rescue Stop
      retry
    end
  end

  def test_other_threads_go_on_while_one_waits
    runner = runner_for
    turns = 0
    going = Thread.new { loop { (turns += 1) && sleep(0.001) } }
    runner.run("palitra.sleep", seconds: 0.1)
    runner.gather([["palitra.sleep", { seconds: 0.1 }]])
    going.kill
    assert_operator turns, :>, 20
  end

  def test_many_threads_use_a_runner_and_wait_for_one_job
    runner = runner_for
    job = runner.submit("palitra.sleep", seconds: 0.05)
    waiters = Array.new(20) { Thread.new { job.value } }
    texts = Array.new(20) { |i| Thread.new { Array.new(50) { runner.run("test.nested", i.to_s) }.uniq } }
    assert_equal [{ "seconds" => 0.05 }], waiters.map(&:value).uniq
    assert_equal(Array.new(20) { |i| [i.to_s] }, texts.map(&:value))
  end

  def test_an_interrupted_wait_cancels_a_run_and_leaves_a_submitted_job
    runner = runner_for
    killed = Thread.new { runner.run("test.never") }
    eventually { runner.stats[:running] == 1 }
    killed.kill.join
    assert_raises(Timeout::Error) { Timeout.timeout(0.02) { runner.run("test.never") } }
    assert_raises(Timeout::Error) { Timeout.timeout(0.02) { runner.gather(["test.never"] * 2) } }
    # On a busy machine the time may pass before a job is submitted.
    eventually { runner.stats.values_at(:running, :queued) == [0, 0] }
    assert_equal runner.stats[:submitted], runner.stats[:cancelled]
    job = runner.submit("test.never")
    assert_raises(Timeout::Error) { Timeout.timeout(0.02) { job.value } }
    refute_predicate job, :finished?
    assert_equal "still", runner.run("test.nested", "still")
  end

  def test_interrupted_waiters_leave_the_others_to_wait_on
    job = runner_for.submit("test.never")
    waiters = Array.new(4) { Thread.new { wait_whatever_comes(job) } }
    3000.times { waiters.sample.raise(Stop) || Thread.pass }
    job.cancel
    eventually { waiters.none?(&:alive?) }
  ensure
    waiters.each(&:kill)
  end

  def test_a_shutdown_that_is_interrupted_ends_its_grace_period
    runner = runner_for
    job = runner.submit("test.never")
    assert_raises(Timeout::Error) { Timeout.timeout(0.05) { runner.shutdown(grace: nil) } }
    assert_raises(Palitra::CancelledError) { job.value }
  end

  def test_under_a_fiber_scheduler_only_the_fiber_waits
    runner = runner_for
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    replies = Sync do |task|
      job = runner.submit("palitra.sleep", seconds: 0.3)
      sleeping = Array.new(100) { task.async { runner.run("palitra.sleep", seconds: 0.3)["seconds"] } }
      waiting = Array.new(10) { task.async { job.value["seconds"] } }
      gathering = task.async do
        runner.gather([["palitra.sleep", { seconds: 0.3 }]] * 2).sum do |reply|
          reply["seconds"]
        end
      end
      streaming = task.async { runner.stream("test.stream", items: 100) { |item| item }.value }
      [*sleeping, *waiting, gathering, streaming].map(&:wait)
    end
    assert_equal ([0.3] * 110) + [0.6, ""], replies
    assert_operator Process.clock_gettime(Process::CLOCK_MONOTONIC) - start, :<, 10
  end

  def test_a_stopped_task_cancels_its_job
    runner = runner_for
    Sync do |task|
      never = task.async { runner.run("test.never") }
      never.stop
    end
    eventually { runner.stats[:cancelled] == 1 }
  end

  def test_http_jobs_fetch_what_a_server_sends
    server = TCPServer.new("127.0.0.1", 0)
    serving = Thread.new do
      client = server.accept
      nil until client.gets == "\r\n"
      client.write("HTTP/1.1 201 Created\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
      client.close
    end
    page = Palitra.run("http.get", url: "http://127.0.0.1:#{server.addr[1]}/", timeout: 10)
    assert_equal [201, "hello"], page.values_at("status", "body")
    serving.join
    server.close
  end
end
