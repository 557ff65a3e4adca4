# frozen_string_literal: true

# What the tests share: the library with the test jobs, runners, and programs of their own.

require "minitest/autorun"
require "open3"
require "palitra"
require "tempfile"
require "timeout"

TEST_JOBS = Palitra.load("#{ENV.fetch('PALITRA_LIBRARY_DIR')}/libpalitra_test_jobs.so")

# What a shell runs in the background ignores Ctrl-C, and the programs of the tests would inherit that.
trap("INT", "DEFAULT")

# Another Ruby that finds what this one does.
RUBY = [RbConfig.ruby, *$LOAD_PATH.map { |folder| "-I#{folder}" }].freeze

# Nothing in a test rescues it, so that the test fails with it.
class TookTooLong < Exception; end # rubocop:disable Lint/InheritException

class TestCase < Minitest::Test
  LIMIT = 120

  # A runner of the test jobs, closed at the end of the test.
  def runner_for(**options)
    runner = Palitra::Runner.new(library: TEST_JOBS, **options)
    (@runners ||= []) << runner
    runner
  end

  def teardown
    @runners&.each(&:close)
  end

  # No test waits forever.
  def run
    Timeout.timeout(LIMIT, TookTooLong) { super }
  end

  # Asks until it is so; the limit of the test bounds it.
  def eventually
    sleep 0.005 until yield
  end

  # Runs a program: its exit code or signal, and what it wrote. The block is given its standard output as it runs.
  def program(text, env: {})
    file = Tempfile.new(["program", ".rb"])
    file.write(text)
    file.close
    Open3.popen3(env, *RUBY, file.path) do |input, output, errors, process|
      input.close
      yield output, process.pid if block_given?
      written = [output, errors].map { |pipe| Thread.new { pipe.read } }.map(&:value)
      [process.value.exitstatus || process.value.termsig, *written]
    ensure
      Process.kill(:KILL, process.pid) if process.alive?
    end
  ensure
    file&.unlink
  end
end
