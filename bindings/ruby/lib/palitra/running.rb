# frozen_string_literal: true

# The calls that run jobs: of a runner, and of the module Palitra, whose runner is the global one.

require_relative "gather"
require_relative "job"
require_relative "library"

module Palitra
  # What can be done with a runner, and with the module Palitra, whose runner is the global one.
  #
  # A payload is given as one value or, for a job that takes a JSON object, as its fields. `timeout` is in seconds; past
  # it the job is cancelled.
  module Running
    # Runs a job to its end and returns its reply.
    def run(job, payload = nil, timeout: nil, **fields)
      bytes = library.encode(job, payload, fields)
      native = library.native
      lend_mailbox do |mailbox|
        token = mailbox.out
        options = mailbox.options(flags: Native::NO_ITEMS | Native::INLINE_ONLY, timeout:)
        status = native.runner_start(handle, job, bytes, bytes.bytesize, options, token, mailbox.reply)
        if status == Native::PENDING
          native.reply_free(mailbox.reply)
          mailbox.wait_for(mailbox.token)
          native.token_poll(mailbox.token, mailbox.reply)
        end
        library.value_of(mailbox.reply)
      ensure
        finish(mailbox.token) unless mailbox.token.zero?
      end
    end

    # Submits a job. What is refused raises.
    def submit(job, payload = nil, timeout: nil, stream_items: 0, **fields)
      start(job, library.encode(job, payload, fields), timeout, stream_items, is_stream: false)
    end

    # Yields the items of a job as they come, or returns an Enumerator of them. A slow block slows the job; leaving it
    # early cancels the job. `stream_items` is how many items wait for the block, 16 if left out.
    def stream(job, payload = nil, timeout: nil, stream_items: 0, **fields, &block)
      start(job, library.encode(job, payload, fields), timeout, stream_items, is_stream: true).each(&block)
    end

    # Runs many jobs, each a name or [name, payload], at the same time: their replies in the order of the jobs.
    #
    # Once all have finished, the failure of the first that failed is raised. With `settled` failures stand among the
    # replies. With `fail_fast` the first failure cancels the rest.
    def gather(jobs, timeout: nil, fail_fast: false, settled: false)
      jobs = jobs.map { |job, payload| [job, library.encode(job, payload, {})] }
      outcomes = lend_mailbox { |mailbox| Gather.new(self, mailbox, jobs).outcomes(timeout, fail_fast) }
      failed = outcomes.select { |outcome| outcome.is_a?(Error) }
      return outcomes if settled || failed.empty?

      raise (failed.find { |failure| !failure.is_a?(CancelledError) } if fail_fast) || failed.first
    end

    private

    def lend_mailbox
      mailbox = library.take_mailbox
      begin
        yield mailbox
      ensure
        library.give_back(mailbox)
      end
    end

    def finish(token)
      library.native.token_cancel(token)
      library.native.token_free(token)
    end

    def start(job, bytes, timeout, stream_items, is_stream:)
      Job.new(self, is_stream:) do |mailbox|
        options = mailbox.options(flags: Native::ITEM_EVENTS, timeout:, stream_items:)
        status = library.native.runner_submit(handle, job, bytes, bytes.bytesize, options, mailbox.out)
        library.check(status, job)
        mailbox.token
      end
    end
  end
end
