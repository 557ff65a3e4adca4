# frozen_string_literal: true

# Where the end of a job is an event: a queue of the library, and its descriptor.
#
# A thread waits for the descriptor with IO#wait_readable. So Ruby knows of the wait: other threads go on, Ctrl-C,
# Timeout and Thread#kill end it, and under a Fiber scheduler only the fiber waits. The descriptor is made at the first
# wait. An event only says that there is something to look at, so one that comes late is no harm.

require "io/wait"

require_relative "limit"
require_relative "native"

module Palitra
  # Serves one call at a time, and holds what the call's functions fill.
  class Mailbox
    EVENTS = 64

    attr_reader :queue, :reply

    def initialize(library)
      @library = library
      @native = library.native
      @out = FFI::MemoryPointer.new(:uint64)
      @count = FFI::MemoryPointer.new(:size_t)
      @events = FFI::MemoryPointer.new(Native::Event, EVENTS)
      @reply = Native::Reply.new
      @options = Native::SubmitOptions.new
      @options[:size] = Native::SubmitOptions.size
      library.check(@native.queue_new(@out))
      @options[:queue] = @queue = @out.read_uint64
      ObjectSpace.define_finalizer(self, self.class.finalizer(@native, @queue))
    end

    def self.finalizer(native, queue)
      proc { native.queue_free(queue) }
    end

    # How to submit a job whose events come here.
    def options(flags:, timeout: nil, stream_items: 0)
      @options[:flags] = flags
      @options[:deadline_ns] = Palitra.nanoseconds(timeout, none: 0)
      @options[:stream_items] = stream_items
      @options
    end

    # Where a function leaves the token that it makes.
    def out
      @out.write_uint64(0)
      @out
    end

    def token
      @out.read_uint64
    end

    # Makes the descriptor, which the system may refuse.
    def open
      io
      nil
    end

    # Waits until there are events or the time has passed, and takes the events: pairs of a token and a status.
    def take(seconds = nil)
      io.wait_readable(seconds)
      taken = []
      while @native.queue_next(@queue, 0, @events, EVENTS, @count) == Native::OK
        @events.read_array_of_uint64(@count.read(:size_t) * 3).each_slice(3) do |_tag, token, status|
          taken << [token, status & 0xffff_ffff]
        end
      end
      taken
    end

    # Waits until jobs of the program are called, and yields each call with the tag of its job. Returns whether there
    # can be more: false once the queue was closed.
    def take_calls
      io.wait_readable
      while (status = @native.queue_next(@queue, 0, @events, 1, nil)) == Native::OK
        yield @native.event_call(@events), Native::Event.new(@events)[:tag]
      end
      status == Native::PENDING
    end

    # Waits until the job of this token has finished.
    def wait_for(token)
      take while @native.token_poll(token, nil) == Native::PENDING
    end

    private

    def io
      @io ||= IO.for_fd(Palitra.collecting { descriptor }, autoclose: false)
    end

    def descriptor
      descriptor = @native.queue_fd(@queue)
      raise InternalError, "the system refuses a descriptor" if descriptor.negative?

      descriptor
    end
  end
end
