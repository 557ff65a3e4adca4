# frozen_string_literal: true

# A library built on palitra: its jobs, and how payloads, replies and statuses become Ruby's.

require "json"

require_relative "errors"
require_relative "mailbox"
require_relative "native"

module Palitra
  # A job that a library holds. The formats are :bytes, :text or :json.
  JobInfo = Struct.new(:name, :doc, :input, :output)

  # What Palitra.load returns.
  class Library
    attr_reader :path, :native

    def initialize(path)
      @path = path
      @native = Native.open(path)
      @jobs = read_jobs
      @mailboxes = []
      @process = Process.pid
    end

    def version
      @native.version
    end

    # What jobs there are, by name in order.
    def jobs
      @jobs.values
    end

    # Configures the runners that are made from now on, the global one among them.
    def configure(config)
      check(@native.configure(JSON.generate(config)))
    end

    # ---- for the runners and their jobs

    # A payload as the job takes it. A binary string is any job's payload as it stands.
    def encode(job, payload, fields)
      raise TypeError, "the name of a job is a String, not #{job.class}" unless job.is_a?(String)
      raise ArgumentError, "the name of a job contains a NUL" if job.include?("\0")

      unless fields.empty?
        unless payload.nil?
          raise ArgumentError,
                "#{job} is given a payload and fields of one: #{fields.keys.join(', ')}"
        end

        payload = fields
      end
      return "" if payload.nil?
      return payload if payload.is_a?(String) && payload.encoding == Encoding::BINARY

      write(job, payload, @jobs[job]&.input)
    end

    # Bytes as Ruby's value, by the number of their format.
    def decode(data, format)
      case Native::FORMATS[format]
      when :json then JSON.parse(data.force_encoding(Encoding::UTF_8))
      when :text then data.force_encoding(Encoding::UTF_8)
      else data
      end
    end

    # What a call has filled a reply with. The reply is freed.
    def value_of(reply)
      status = reply[:status]
      data = reply[:data].read_bytes(reply[:len])
      return decode(data, reply[:format]) if status == Native::OK

      raise error_of(status, data.force_encoding(Encoding::UTF_8), reply[:code])
    ensure
      @native.reply_free(reply)
    end

    def check(status, job = nil)
      return if status == Native::OK
      raise error_of(status) unless status == Native::UNKNOWN_JOB

      nearest = @native.job_nearest(job)
      raise error_of(status, "no job is registered as \"#{job}\"#{"; the nearest is \"#{nearest}\"" if nearest}")
    end

    # A mailbox for one call or job, which gives it back. A forked child has none of its parent's.
    def take_mailbox
      if @process != Process.pid
        @mailboxes = []
        @process = Process.pid
      end
      @mailboxes.pop || Mailbox.new(self)
    end

    def give_back(mailbox)
      @mailboxes.push(mailbox)
    end

    # Shuts a runner down. Other threads and fibers go on meanwhile.
    def end_within(grace, &shutdown)
      time = grace.is_a?(Numeric) && grace.zero? ? 0 : Palitra.nanoseconds(grace, none: -1, name: "grace")
      ending = Thread.new(time, &shutdown)
      status = ending.value
      check(status) unless status == Native::PENDING
      status == Native::OK
    ensure
      shutdown.call(0) if ending&.alive?
    end

    private

    def read_jobs
      info = Native::JobInfo.new
      (0...@native.job_count).to_h do |index|
        check(@native.job_at(index, info))
        name, doc = %i[name doc].map { |text| info[text].dup.force_encoding(Encoding::UTF_8).freeze }
        [name, JobInfo.new(name, doc, Native::FORMATS[info[:input]], Native::FORMATS[info[:output]]).freeze]
      end
    end

    def write(job, payload, format)
      return JSON.generate(payload) if format == :json || (format.nil? && !payload.is_a?(String))
      raise TypeError, "the payload of #{job} is a String, not #{payload.class}" unless payload.is_a?(String)

      format == :text ? payload.encode(Encoding::UTF_8) : payload
    end

    def error_of(status, message = "", code = 0)
      error = Error::CLASSES.fetch(status, Error)
      return error.new(message, code:) if error <= JobError

      message = @native.status_message(status) if message.empty?
      error.new(message, status: @native.status_name(status))
    end
  end
end
