# frozen_string_literal: true

# Times are seconds in Ruby, and nanoseconds in the library.
module Palitra
  LONGEST = (1 << 63) - 1
  private_constant :LONGEST

  # Seconds as the library's nanoseconds; `none` where there is no limit.
  def self.nanoseconds(seconds, none:, name: "timeout")
    return none if seconds.nil? || seconds == Float::INFINITY
    unless seconds.is_a?(Numeric) && seconds.real? && seconds >= 0
      raise ArgumentError, "#{name} is a number of seconds, not #{seconds.inspect}"
    end

    (seconds * 1_000_000_000).round.clamp(1, LONGEST)
  end

  # A time that passes, in seconds; nil is forever.
  class Limit
    def initialize(seconds)
      nanoseconds = Palitra.nanoseconds(seconds, none: nil)
      @end = nanoseconds && (Limit.now + (seconds.zero? ? 0 : nanoseconds))
    end

    def self.now
      Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
    end

    def left
      @end && ([@end - Limit.now, 0].max / 1e9)
    end

    def passed?
      !@end.nil? && Limit.now >= @end
    end
  end
end
