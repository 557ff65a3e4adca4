# frozen_string_literal: true

require_relative "palitra/errors"
require_relative "palitra/library"
require_relative "palitra/runner"
require_relative "palitra/version"

# palitra for Ruby: README.md says what there is. The module's own methods use the global runner, which is made at the
# first use, also in a forked child.
module Palitra
  SHIPPED = File.join(__dir__, "palitra", "libpalitra.so")
  private_constant :SHIPPED

  @loaded = {}
  @lock = Mutex.new

  class << self
    include Running

    # Loads a library of jobs. The same path is the same library.
    def load(path)
      @lock.synchronize { @loaded[path.to_s] ||= Library.new(path.to_s) }
    end

    # The library that PALITRA_LIBRARY names, or the one of this gem, or the system's.
    def library
      @library ||= load(ENV.fetch("PALITRA_LIBRARY") { File.exist?(SHIPPED) ? SHIPPED : "libpalitra.so.1" })
    end

    def jobs
      library.jobs
    end

    def configure(config)
      library.configure(config)
    end

    # Whether there is a global runner that takes jobs.
    def alive?
      library.native.is_runner_alive
    end

    # Shuts the global runner down, as Runner#shutdown does. The next call makes a new one.
    def shutdown(grace: 0)
      library.end_within(grace) { |time| library.native.shutdown_global_runner(time) }
    end

    # The handle of the global runner, which is the library's.
    def handle
      out = FFI::MemoryPointer.new(:uint64)
      collecting { library.check(library.native.runner_global(out)) }
      out.read_uint64
    end
  end
end
