# frozen_string_literal: true

# See tests/proof/endings.py.
require "palitra"

def use_and_leave
  8.times { Palitra.submit("palitra.sleep", { seconds: 100 }) }
  raise "no echo" unless Palitra.run("palitra.echo", "hello") == "hello"
end

use_and_leave
if ARGV[0] == "forks"
  Integer(ARGV[1]).times do
    pid = fork do
      use_and_leave
      exit 7
    end
    _, status = Process.wait2(pid)
    raise "a child ended with #{status}" unless status.exitstatus == 7
  end
end
exit 7
