# frozen_string_literal: true

# One submitted job. Any number of threads and fibers may wait for it: one at a time waits for the mailbox, and tells
# the others of each event. At the job's end everything is taken over to Ruby, and the token is freed.

require_relative "limit"
require_relative "mailbox"

module Palitra
  # What Runner#submit returns. Its items can be read once, by one reader.
  class Job
    include Enumerable

    # The block submits the job, whose events come to the mailbox for as long as it runs, and returns its token.
    def initialize(runner, is_stream:)
      @runner = runner # lives as long
      @library = runner.library
      @native = @library.native
      @mailbox = @library.take_mailbox
      @lock = Mutex.new
      @told = ConditionVariable.new
      @events = 0
      @items = []
      @token = submit { yield @mailbox }
      ObjectSpace.define_finalizer(self, self.class.finalizer(@native, @token, is_stream))
    end

    # An unfinished job that nobody can ask any more runs on; one that only streams to a reader is cancelled.
    def self.finalizer(native, token, is_stream)
      proc do
        native.token_cancel(token) if is_stream
        native.token_free(token)
      end
    end

    # Waits until the job has finished, `timeout` seconds at most. Returns the job, or nil if it has not finished.
    def wait(timeout = nil)
      limit = Limit.new(timeout)
      loop do
        seen = @events
        return self if finished?
        return nil if limit.passed?

        wait_for_event(seen, limit)
      end
    end

    # Waits until the job has finished, and returns its reply or raises why there is none.
    def value
      wait
      raise @failure if @failure

      @value
    end

    # Whether the job has finished, in whatever way.
    def finished?
      @lock.synchronize { finish if @token }
      @token.nil?
    end

    # Cancels the job, if it has not finished.
    def cancel
      @lock.synchronize { @library.check(@native.token_cancel(@token)) if @token }
      self
    end

    # How far the job is: what it has reported last, [done, total].
    def progress
      @lock.synchronize { @token ? read_progress : @progress }
    end

    # Yields the items of the job as they come. A failure is raised after the items before it. Leaving the block early
    # cancels the job. Without a block it returns an Enumerator.
    def each
      return enum_for(:each) unless block_given?

      begin
        while (item = take_item)
          yield item.first
        end
      ensure
        cancel if @token
      end
      self
    end

    private

    def submit
      yield
    rescue StandardError
      give_back_mailbox
      raise
    end

    # The next item in an array, or nil at the end.
    def take_item
      loop do
        seen = @events
        item = @lock.synchronize { @items.shift || (@token && next_item) }
        return item if item

        return last_item if finished?

        wait_for_event(seen, Limit.new(nil))
      end
    end

    def last_item
      return @items.shift unless @items.empty?
      raise @failure if @failure
    end

    # Unless there were events since `seen`. Timeout and Thread#kill end the wait itself, and nothing else here: whoever
    # waits for the mailbox has to tell the others.
    def wait_for_event(seen, limit)
      Thread.handle_interrupt(Object => :never) do
        @lock.synchronize do
          return if @events != seen || @token.nil?
          return interruptible { @told.wait(@lock, limit.left) } if @is_awaited

          @is_awaited = true
        end
        begin
          interruptible { @mailbox.take(limit.left) }
        ensure
          @lock.synchronize { tell }
        end
      end
    end

    def interruptible(&)
      Thread.handle_interrupt(Object => :immediate, &)
    end

    # ---- under the lock

    def tell
      @events += 1
      @is_awaited = false
      @told.broadcast
      give_back_mailbox if @token.nil?
    end

    def give_back_mailbox
      @library.give_back(@mailbox) unless @is_awaited
    end

    # ---- and while there is a token

    def next_item
      reply = @mailbox.reply
      status = @native.token_next(@token, 0, reply)
      return [@library.value_of(reply)] if status == Native::OK

      @native.reply_free(reply)
      nil
    end

    def read_progress
      figures = FFI::MemoryPointer.new(:uint64, 2)
      @library.check(@native.token_progress(@token, figures, figures + 8))
      figures.read_array_of_uint64(2)
    end

    def finish
      return if @native.token_poll(@token, nil) == Native::PENDING

      take_reply
      @progress = read_progress
      while (item = next_item)
        @items << item
      end
      release
    end

    def take_reply
      @native.token_poll(@token, @mailbox.reply)
      @value = @library.value_of(@mailbox.reply)
    rescue ForkedError
      raise
    rescue Error => e
      @failure = e
    end

    def release
      token = @token
      @token = nil
      @native.token_free(token)
      ObjectSpace.undefine_finalizer(self)
      give_back_mailbox
    end
  end
end
