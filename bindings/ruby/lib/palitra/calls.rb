# frozen_string_literal: true

# Jobs of the program: blocks of Ruby that anybody calls by their names. A thread of the runner's takes the calls out of
# a queue, and gives each to a thread of its own: no code of Ruby runs on a thread of the library.

require_relative "errors"
require_relative "mailbox"

module Palitra
  # One call of a job of the program: the second argument of its block.
  class Call
    # What fails the job alone. What else a block raises ends more than that: a thread, or the program.
    FAILURES = [StandardError, ScriptError, SystemStackError, NoMemoryError].freeze

    INT32 = (-(1 << 31)...(1 << 31))
    SLICE_NS = 50_000_000
    private_constant :FAILURES, :INT32, :SLICE_NS

    def initialize(library, handle)
      @library = library
      @native = library.native
      @handle = handle
    end

    # Whether the answer is not needed any more: the job was cancelled, its timeout passed, or its runner ends.
    def cancelled?
      @native.call_is_cancelled(@handle)
    end

    # Says how far the job is.
    def progress(done, total)
      @native.call_progress(@handle, done, total)
    end

    # Sends an item, once its reader has room for it. Returns whether anybody reads it. Timeout and Thread#kill end the
    # wait.
    def send_item(item)
      format, bytes = Calls.encode(item)
      status = Native::PENDING
      # In slices: between two of them Ruby can raise in this thread or end it.
      status = @native.call_send(@handle, format, bytes, bytes.bytesize, SLICE_NS) while status == Native::PENDING
      wanted?(status)
    end

    # Answers with what the block returns or raises, and frees the call.
    def answer(format, block)
      wanted?(complete(Native::OK, 0, *Calls.encode(result_of(block.call(payload(format), self)))))
    rescue CancelledError
      complete(Native::CANCELLED, 0, *Calls.encode("the job cancelled itself"))
    rescue *FAILURES => e
      fail_with(e)
    ensure
      @native.call_free(@handle)
    end

    # Fails the call, whose block is not called for this reason, and frees it.
    def refuse(error)
      fail_with(error)
    ensure
      @native.call_free(@handle)
    end

    private

    def payload(format)
      data, len = Array.new(2) { FFI::MemoryPointer.new(:uint64) }
      @library.check(@native.call_payload(@handle, data, len))
      @library.decode(data.read_pointer.read_bytes(len.read_uint64), format)
    end

    # The items of an enumerator are those of the job.
    def result_of(result)
      return result unless result.is_a?(Enumerator)

      result.each { |item| break unless send_item(item) }
      nil
    end

    def fail_with(error)
      code = error.is_a?(JobError) ? error.code : 0
      text = error.is_a?(Error) ? error.message : "#{error.class}: #{error.message}"
      unless INT32.include?(code)
        text = "#{text} (its code #{code.inspect} is no 32-bit number)"
        code = 0
      end
      complete(Native::JOB_FAILED, code, 1, text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace).scrub)
    end

    # Whether an answer or an item was needed. Raises for one that the library refuses.
    def wanted?(status)
      return false if [Native::AT_END, Native::CANCELLED].include?(status)

      @library.check(status)
      true
    end

    def complete(status, code, format, bytes)
      @native.call_complete(@handle, status, code, format, bytes, bytes.bytesize)
    end
  end

  # The jobs of the program on one runner.
  class Calls
    # What a value of Ruby is to the one who called: the number of a format, and bytes.
    def self.encode(value)
      case value
      when nil then [0, ""]
      when String then value.encoding == Encoding::BINARY ? [0, value] : [1, text(value)]
      else [2, JSON.generate(value)]
      end
    end

    def self.text(value)
      value = value.encode(Encoding::UTF_8)
      return value if value.valid_encoding?

      raise Encoding::InvalidByteSequenceError, "not UTF-8: #{value.scrub[0, 40].inspect}; bytes are a binary string"
    end
    private_class_method :text

    def initialize(runner)
      @library = runner.library
      @native = @library.native
      @runner = runner.handle
      @mailbox = Mailbox.new(@library)
      @blocks = []
      ObjectSpace.define_finalizer(runner, Calls.finalizer(@native, @mailbox.queue))
    end

    def self.finalizer(native, queue)
      proc { native.queue_close(queue) }
    end

    def register(name, input, doc, max_waiting, block)
      format = Native::FORMATS.index(input)
      raise ArgumentError, "a format is one of #{Native::FORMATS}, not #{input}" unless format

      # Before anybody can call the job: what the system refuses is refused here.
      @thread ||= serving
      texts = [name, doc].map { |text| FFI::MemoryPointer.from_string(Runner.text(text)) }
      info = Native::GivenJobInfo.new
      info[:name], info[:doc] = texts
      info[:input] = format
      info[:output] = 2
      @blocks << [format, block]
      @library.check(@native.runner_register_queued(@runner, info, @mailbox.queue, @blocks.size - 1, max_waiting))
    end

    # The runner has ended, and calls nobody any more.
    def close
      @native.queue_close(@mailbox.queue)
      @thread&.join
    end

    private

    def serving
      @mailbox.open
      Thread.new { serve }
    end

    def serve
      while @mailbox.take_calls { |handle, tag| answer(handle, tag) }
      end
    end

    # A call for which the system refuses a thread fails alone: the next may have one.
    def answer(handle, tag)
      format, block = @blocks[tag]
      call = Call.new(@library, handle)
      Thread.new { call.answer(format, block) }
    rescue ThreadError, NoMemoryError => e
      call.refuse(e)
    end
  end
end
