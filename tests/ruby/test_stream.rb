# frozen_string_literal: true

# Streams: order, back-pressure, failures, and readers that leave.

require_relative "helper"

class TestStream < TestCase
  def numbers(count)
    Array.new(count, &:to_s)
  end

  def test_every_item_arrives_in_order_however_many_there_are
    runner = runner_for
    assert_equal numbers(5000), runner.stream("test.stream", items: 5000).to_a
    items = []
    runner.stream("test.stream", { items: 40 }, stream_items: 1) { |item| items << item }
    assert_equal numbers(40), items
  end

  def test_an_enumerator_can_be_read_item_by_item
    items = runner_for.stream("test.stream", items: 2)
    assert_equal %w[0 1], [items.next, items.next]
    assert_raises(StopIteration) { items.next }
  end

  def test_items_that_were_sent_before_the_reader_came_are_there_when_the_job_has_ended
    job = runner_for.submit("test.stream", items: 3)
    job.wait
    assert_equal numbers(3), job.to_a
    assert_equal "", job.value
  end

  def test_a_failure_is_raised_after_the_items_before_it
    items = []
    error = assert_raises(Palitra::JobError) do
      runner_for.stream("test.stream", items: 3, fail_at: 1) { |item| items << item }
    end
    assert_equal [["0"], 7], [items, error.code]
  end

  def test_a_job_waits_for_a_slow_reader
    runner = runner_for
    job = runner.submit("test.stream", items: 40)
    runner.run("palitra.sleep", seconds: 0.05)
    assert_equal 1, runner.stats[:running]
    assert_equal numbers(40), job.to_a
  end

  def test_leaving_the_block_cancels_the_job
    runner = runner_for
    assert_equal numbers(3), runner.stream("test.stream", items: 1000).first(3)
    job = runner.submit("test.stream", items: 1000)
    assert_equal "0", job.first
    assert_raises(Palitra::CancelledError) { job.value }
    assert_raises(RuntimeError) { runner.stream("test.stream", items: 1000) { raise "mine" } }
    # One that sends as it is cancelled is counted as failed: its item was refused.
    eventually { runner.stats.values_at(:cancelled, :failed).sum == 3 }
  end

  def test_a_reader_and_a_waiter_do_not_take_each_others_events
    runner = runner_for
    20.times do
      job = runner.submit("test.stream", items: 100)
      waiters = Array.new(3) { Thread.new { job.value } }
      assert_equal numbers(100), job.to_a
      assert_equal [""] * 3, waiters.map(&:value)
    end
  end

  # What a reader does whose item was told to another thread between its look and its wait.
  def test_who_looked_before_an_event_was_taken_does_not_wait_for_it
    job = runner_for.submit("test.stream", items: 1000)
    job.send(:wait_for_event, 0, Palitra::Limit.new(nil))
    waits = Thread.new { job.send(:wait_for_event, 0, Palitra::Limit.new(nil)) }
    assert waits.join(10), "waits for an event that was taken"
  ensure
    waits&.kill
  end

  def test_an_enumerator_that_was_forgotten_cancels_its_job
    runner = runner_for
    10.times { Thread.new { runner.stream("test.stream", items: 1000).next }.join }
    # A conservative collector may see some of them on a stack.
    eventually { GC.start || runner.stats[:running] <= 5 }
  end
end
