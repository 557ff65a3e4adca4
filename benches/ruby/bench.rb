# frozen_string_literal: true

# palitra from Ruby beside Ruby's own ways, in turns: `make bench-ruby`.
#
# A figure is the median over the rounds; a ratio is the median of the rival's figure divided by palitra's of the same
# round, so above 1 palitra is faster.

require "net/http"
require "palitra"
require "socket"

ROUNDS = 15

def timed(count)
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  yield
  (Process.clock_gettime(Process::CLOCK_MONOTONIC) - start) * 1e6 / count
end

def median(values)
  values.sort[values.size / 2]
end

# A round trip to another thread, the cheapest hand-off that Ruby has.
def hand_off
  asked = Queue.new
  answered = Queue.new
  worker = Thread.new { loop { answered << asked.pop } }
  yield asked, answered
ensure
  worker&.kill
end

def in_thread(count)
  hand_off { |asked, answered| count.times { (asked << 1) && answered.pop } }
end

# A server in a process of its own, as it would share this one's lock.
listening = TCPServer.new("127.0.0.1", 0)
server = fork do
  loop do
    Thread.new(listening.accept) do |client|
      while (line = client.gets)
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n#{'x' * 100}") if line == "\r\n"
      end
    end
  end
end
at_exit { Process.kill(:KILL, server) if server }
port = listening.addr[1]
url = "http://127.0.0.1:#{port}/"
http = Net::HTTP.start("127.0.0.1", port)

test_jobs = Palitra::Runner.new(library: Palitra.load("#{ENV.fetch('PALITRA_LIBRARY_DIR')}/libpalitra_test_jobs.so"))
jobs = [["palitra.echo", "x"]] * 100
fetches = [["http.bytes", { url: }]] * 64
threads = lambda do |connections|
  connections.map { |connection| Thread.new { connection.get("/") } }.each(&:join)
end
connections = Array.new(64) { Net::HTTP.start("127.0.0.1", port) }

rows = [
  ["a ready job", 5000, -> { 5000.times { Palitra.run("palitra.echo", "x") } },
   "a Thread and Queue round trip", -> { in_thread(5000) }],
  ["a job on the runner's thread", 2000, -> { 2000.times { test_jobs.run("test.nested", "x") } },
   "a Thread and Queue round trip", -> { in_thread(2000) }],
  ["a gather of 100", 20, -> { 20.times { Palitra.gather(jobs) } },
   "100 round trips", -> { in_thread(2000) }],
  ["http.bytes, 1 in flight", 200, -> { 200.times { Palitra.run("http.bytes", url:) } },
   "Net::HTTP, kept alive", -> { 200.times { http.get("/") } }],
  ["http.bytes, a gather of 64", 10, -> { 10.times { Palitra.gather(fetches) } },
   "Net::HTTP in 64 threads, kept alive", -> { 10.times { threads.call(connections) } }]
]

puts "| palitra | us | rival | us | ratio |", "|---|---|---|---|---|"
rows.each do |name, count, own, rival, theirs|
  [own, theirs].each(&:call)
  times = Array.new(ROUNDS) do |round|
    pair = (round.even? ? [own, theirs] : [theirs, own]).map { |work| timed(count, &work) }
    round.even? ? pair : pair.reverse
  end
  mine, other = times.transpose.map { |side| median(side) }
  puts format("| %<name>s | %<mine>.1f | %<rival>s | %<other>.1f | %<ratio>.2f |",
              name:, mine:, rival:, other:, ratio: median(times.map { |a, b| b / a }))
end
