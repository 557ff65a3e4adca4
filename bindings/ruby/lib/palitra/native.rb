# frozen_string_literal: true

# The C ABI as include/palitra.h declares it: the numbers, the structs and the functions that the binding calls.
#
# A handle is a struct of one uint64_t. Where palitra runs, a call passes that as it passes the number.

require "ffi"

module Palitra
  # The functions of a library are the methods of a module: Native.open makes it.
  module Native
    ABI_VERSION = 1

    OK = 0
    PENDING = 1
    # PALITRA_END; END is a word of Ruby's.
    AT_END = 2
    JOB_FAILED = 10
    CANCELLED = 12
    UNKNOWN_JOB = 22

    FORMATS = %i[bytes text json].freeze

    ITEM_EVENTS = 1
    NO_ITEMS = 2
    INLINE_ONLY = 4

    FREE_TOKENS = 2

    class Reply < FFI::Struct
      layout status: :int32, code: :int32, format: :int32, data: :pointer, len: :size_t, owner: :pointer
    end

    # As a program gives it.
    class GivenJobInfo < FFI::Struct
      layout name: :pointer, doc: :pointer, input: :int32, output: :int32
    end

    class JobInfo < FFI::Struct
      layout name: :string, doc: :string, input: :int32, output: :int32
    end

    class RunnerOptions < FFI::Struct
      layout size: :uint32, worker_threads: :uint32, max_blocking_threads: :uint32, flags: :uint32,
             thread_name: :pointer, thread_stack_size: :size_t, max_in_flight: :size_t, max_payload: :size_t,
             thread_start: :pointer, thread_stop: :pointer, thread_user_data: :pointer, thread_free: :pointer,
             spin_limit_ns: :int64, config: :pointer
    end

    class Stats < FFI::Struct
      layout size: :uint32, threads: :uint32, submitted: :uint64, running: :uint64, queued: :uint64,
             succeeded: :uint64, failed: :uint64, panicked: :uint64, cancelled: :uint64, deadline: :uint64,
             longest_poll_ns: :uint64
    end

    class SubmitOptions < FFI::Struct
      layout size: :uint32, flags: :uint32, deadline_ns: :int64, queue: :uint64, tag: :uint64,
             stream_items: :uint32, reserved: :uint32
    end

    class Submission < FFI::Struct
      layout job: :pointer, data: :pointer, len: :size_t, tag: :uint64
    end

    class Event < FFI::Struct
      layout tag: :uint64, token: :uint64, status: :int32
    end

    # What each function takes and returns. Those that may block are called without the interpreter's lock.
    FUNCTIONS = {
      version: [[], :string],
      abi_version: [[], :uint32],
      status_name: [%i[int32], :string],
      status_message: [%i[int32], :string],
      reply_free: [%i[pointer], :void],
      job_count: [[], :size_t],
      job_at: [%i[size_t pointer], :int32],
      job_nearest: [%i[string], :string],
      configure: [%i[string], :int32],
      runner_new: [%i[pointer pointer], :int32],
      runner_global: [%i[pointer], :int32],
      is_runner_alive: [[], :bool],
      shutdown_global_runner: [%i[int64], :int32, :blocks],
      runner_is_alive: [%i[uint64], :bool],
      runner_shutdown: [%i[uint64 int64], :int32, :blocks],
      runner_free: [%i[uint64], :void, :blocks],
      runner_stats: [%i[uint64 pointer], :int32],
      runner_submit: [%i[uint64 string buffer_in size_t pointer pointer], :int32],
      runner_submit_many: [%i[uint64 pointer size_t pointer pointer pointer], :int32],
      runner_start: [%i[uint64 string buffer_in size_t pointer pointer pointer], :int32],
      runner_gather: [%i[uint64 pointer size_t uint32 int64 pointer], :int32],
      token_poll: [%i[uint64 pointer], :int32],
      token_cancel: [%i[uint64], :int32],
      token_next: [%i[uint64 int64 pointer], :int32],
      token_progress: [%i[uint64 pointer pointer], :int32],
      token_free: [%i[uint64], :void],
      queue_new: [%i[pointer], :int32],
      queue_next: [%i[uint64 int64 pointer size_t pointer], :int32],
      queue_fd: [%i[uint64], :int],
      queue_free: [%i[uint64], :void],
      queue_close: [%i[uint64], :int32],
      event_call: [%i[pointer], :uint64],
      runner_register_queued: [%i[uint64 pointer uint64 uint64 size_t], :int32],
      call_payload: [%i[uint64 pointer pointer], :int32],
      call_complete: [%i[uint64 int32 int32 int32 buffer_in size_t], :int32],
      call_send: [%i[uint64 int32 buffer_in size_t int64], :int32, :blocks],
      call_progress: [%i[uint64 uint64 uint64], :int32],
      call_is_cancelled: [%i[uint64], :bool],
      call_free: [%i[uint64], :void]
    }.freeze

    # Loads the library of this path or name. LoadError says what is wrong with it.
    def self.open(path)
      native = Module.new { extend FFI::Library }
      load_library(native, path)
      FUNCTIONS.each do |name, (takes, returns, blocks)|
        native.attach_function(name, :"palitra_#{name}", takes, returns, blocking: !blocks.nil?)
      end
      return native if native.abi_version == ABI_VERSION

      raise LoadError, "#{path} has version #{native.abi_version} of palitra's ABI, not #{ABI_VERSION}"
    rescue FFI::NotFoundError => e
      raise LoadError, "#{path} is not a library of palitra: #{e.message}"
    end

    # On a thread of its own: ffi_lib takes every exception for a library that cannot be loaded, and Ctrl-C is raised on
    # the main thread.
    def self.load_library(native, path)
      loading = Thread.new do
        Thread.current.report_on_exception = false
        native.ffi_lib(path)
      end
      loading.value
    end
    private_class_method :load_library
  end
end
