# frozen_string_literal: true

# A runner: a background thread of the library that runs jobs.

require_relative "calls"
require_relative "running"

module Palitra
  # A runner of its own, with limits and a configuration of its own.
  class Runner
    include Running

    FIGURES = (Native::Stats.members - [:size]).freeze

    attr_reader :library, :handle

    # 0 is no limit. `config` configures the states of the jobs: a hash that has JSON. `library` is what Palitra.load
    # returned.
    def initialize(library: Palitra.library, name: "palitra", config: nil, **counts)
      @library = library
      @native = library.native
      name = FFI::MemoryPointer.from_string(Runner.text(name))
      config &&= FFI::MemoryPointer.from_string(JSON.generate(config))
      options = options_of(**counts)
      options[:thread_name] = name
      options[:config] = config
      handle = FFI::MemoryPointer.new(:uint64)
      Palitra.collecting { library.check(@native.runner_new(options, handle)) }
      @handle = handle.read_uint64
      ObjectSpace.define_finalizer(self, Runner.finalizer(@native, @handle))
    end

    # As `new`; with a block, yields the runner, closes it, and returns what the block returned.
    def self.open(**options)
      runner = new(**options)
      return runner unless block_given?

      begin
        yield runner
      ensure
        runner.close
      end
    end

    def self.finalizer(native, handle)
      proc { native.runner_free(handle) }
    end

    def self.text(text)
      raise ArgumentError, "#{text.inspect} contains a NUL" if text.include?("\0")

      text
    end

    # Whether it takes jobs.
    def alive?
      @native.runner_is_alive(@handle)
    end

    # How the runner is doing: jobs by how they ended, and the longest time in seconds that one blocked a thread.
    def stats
      stats = Native::Stats.new
      stats[:size] = Native::Stats.size
      @library.check(@native.runner_stats(@handle, stats))
      figures = FIGURES.to_h { |figure| [figure, stats[figure]] }
      figures[:longest_poll] = figures.delete(:longest_poll_ns) / 1e9
      figures
    end

    # Registers a block as a job of this runner: jobs of the library and programs in other languages call it by its
    # name, and so does `run`. It comes before a job of the library of that name, so tests can replace one. Each call
    # has a thread. What the block returns is the reply, an Enumerator's items are the job's, what it raises is its
    # failure: a JobError with its code. `input` is :json, :text or :bytes; `max_waiting` how many calls may wait to
    # be taken.
    def register(name, input: :json, doc: "", max_waiting: 0, &block)
      raise ArgumentError, "#{name} has no block" unless block

      (@calls ||= Calls.new(self)).register(name, input, doc, max_waiting, block)
      self
    end

    # Refuses new jobs, gives those in flight `grace` seconds (nil: no limit), and cancels the rest. Returns whether the
    # runner has ended: false if something still blocks one of its threads. An exception, such as Ctrl-C's, ends the
    # grace period.
    def shutdown(grace: 0)
      @library.end_within(grace) { |time| @native.runner_shutdown(@handle, time) }
    end

    # Shuts the runner down and frees it.
    def close(grace: 0)
      ObjectSpace.undefine_finalizer(self)
      shutdown(grace:)
    rescue InvalidHandleError, ForkedError
      true
    ensure
      @native.runner_free(@handle)
      @calls&.close
      @calls = nil
    end

    private

    def options_of(worker_threads: 0, max_blocking_threads: 0, max_in_flight: 0, max_payload: 0)
      options = Native::RunnerOptions.new
      options[:size] = Native::RunnerOptions.size
      counts = { worker_threads:, max_blocking_threads:,
                 max_in_flight:, max_payload: }
      counts.each do |name, count|
        raise ArgumentError, "#{name} is a count, not #{count.inspect}" unless count.is_a?(Integer) && count >= 0

        options[name] = count
      end
      options
    end
  end
end
