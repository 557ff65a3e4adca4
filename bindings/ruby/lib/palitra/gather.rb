# frozen_string_literal: true

# Many jobs at once: one call submits them, one mailbox is notified of each end, one call takes the replies.

require_relative "errors"
require_relative "mailbox"

module Palitra
  # Jobs that are submitted with one call and end together.
  class Gather
    def initialize(runner, mailbox, jobs)
      @runner = runner.handle
      @library = runner.library
      @native = @library.native
      @mailbox = mailbox
      @jobs = jobs
      @tokens = FFI::MemoryPointer.new(:uint64, [jobs.size, 1].max)
    end

    # The reply or the failure of each job.
    def outcomes(timeout, fail_fast)
      submit(timeout)
      wait(fail_fast)
      replies = FFI::MemoryPointer.new(Native::Reply, [@jobs.size, 1].max)
      @native.runner_gather(@runner, @tokens, @jobs.size, Native::FREE_TOKENS, 0, replies)
      @tokens.clear
      Array.new(@jobs.size) { |i| outcome(Native::Reply.new(replies + (i * Native::Reply.size))) }
    ensure
      tokens.each do |token|
        @native.token_cancel(token)
        @native.token_free(token)
      end
    end

    private

    def tokens
      @tokens.read_array_of_uint64(@jobs.size).reject(&:zero?)
    end

    def submit(timeout)
      names = @jobs.map(&:first).uniq.to_h { |name| [name, FFI::MemoryPointer.from_string(name)] }
      # As bytes: Ruby joins no texts of different encodings.
      data = FFI::MemoryPointer.from_string(@jobs.map { |_, bytes| bytes.b }.join)
      submissions = FFI::MemoryPointer.new(Native::Submission, [@jobs.size, 1].max)
      offset = data.address
      # Packed at once: a field at a time is what would cost most of the call.
      fields = @jobs.flat_map do |name, bytes|
        start = offset
        offset += bytes.bytesize
        [names[name].address, start, bytes.bytesize, 0]
      end
      submissions.write_array_of_uint64(fields)
      options = @mailbox.options(flags: Native::NO_ITEMS, timeout:)
      taken = @mailbox.out
      status = @native.runner_submit_many(@runner, submissions, @jobs.size, options, @tokens, taken)
      @library.check(status, @jobs.dig(taken.read(:size_t), 0))
    end

    def wait(fail_fast)
      pending = tokens.to_h { |token| [token, true] }
      until pending.empty?
        @mailbox.take.each do |token, status|
          next unless pending.delete(token) && fail_fast && status != Native::OK

          pending.each_key { |other| @native.token_cancel(other) }
        end
      end
    end

    def outcome(reply)
      @library.value_of(reply)
    rescue Error => e
      e
    end
  end
end
