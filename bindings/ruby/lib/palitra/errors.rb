# frozen_string_literal: true

# What palitra raises, and how the library's statuses become exceptions.
module Palitra
  # A job failed, or a call was refused. `status` is the name of the status, such as "PALITRA_BUSY".
  class Error < StandardError
    # The statuses whose errors have a class, by their number.
    CLASSES = {} # rubocop:disable Style/MutableConstant -- filled below, then frozen

    attr_reader :status

    def initialize(message = nil, status: self.class.status)
      super(message)
      @status = status
    end

    class << self
      attr_reader :status

      private

      def stands_for(number, status)
        CLASSES[number] = self
        @status = status
      end
    end
  end

  # The job ran and returned an error: `code` is its number, `message` its text.
  class JobError < Error
    stands_for 10, "PALITRA_JOB_FAILED"

    attr_reader :code

    def initialize(message = nil, code: 0, **rest)
      super(message, **rest)
      @code = code
    end
  end

  # The job refused its payload before it started: JSON of another shape, text that is not UTF-8.
  class BadPayloadError < JobError
    stands_for 14, "PALITRA_BAD_PAYLOAD"
  end

  # The job panicked, with this message. Its runner lives on.
  class JobPanickedError < Error
    stands_for 11, "PALITRA_JOB_PANICKED"
  end

  # The job was cancelled: by a call, a fail-fast gather, or the end of its runner.
  class CancelledError < Error
    stands_for 12, "PALITRA_CANCELLED"
  end

  # The job's timeout passed, and it was cancelled.
  class TimeoutError < Error
    stands_for 13, "PALITRA_DEADLINE"
  end

  # The library does not accept an argument.
  class InvalidArgumentError < Error
    stands_for 20, "PALITRA_INVALID_ARGUMENT"
  end

  # The runner was closed.
  class InvalidHandleError < Error
    stands_for 21, "PALITRA_INVALID_HANDLE"
  end

  # The library has no job of that name. The message names the most similar one.
  class UnknownJobError < Error
    stands_for 22, "PALITRA_UNKNOWN_JOB"
  end

  # As many jobs are in flight as the runner accepts.
  class BusyError < Error
    stands_for 23, "PALITRA_BUSY"
  end

  # The payload is larger than the runner accepts.
  class TooLargeError < Error
    stands_for 24, "PALITRA_TOO_LARGE"
  end

  # The runner was shut down.
  class ShutDownError < Error
    stands_for 26, "PALITRA_SHUT_DOWN"
  end

  # The runner or the job was made before this process was forked. The child makes its own.
  class ForkedError < Error
    stands_for 27, "PALITRA_FORKED"
  end

  # The system refused a thread or a descriptor, or the library has a defect.
  class InternalError < Error
    stands_for 29, "PALITRA_INTERNAL"
  end

  Error::CLASSES.freeze

  # What the block returns. Where the system refuses it a thread or a descriptor, objects that nobody holds any more may
  # have some to give back: it is called once more when they have been collected. Ruby's own files do the same.
  def self.collecting
    yield
  rescue InternalError
    GC.start
    yield
  end
end
