# frozen_string_literal: true

# Puma with two workers that are forked from an application which has used palitra already.

require_relative "helper"
require "net/http"
require "socket"
require "tmpdir"

class TestPuma < TestCase
  APPLICATION = <<~RUBY
    require "palitra"
    PARENT = Palitra::Runner.new
    Palitra.run("palitra.echo", "before the fork")
    run(lambda do |env|
      replies = Palitra.gather([["palitra.echo", env["PATH_INFO"]], ["palitra.sleep", { seconds: 0.01 }]])
      refused = (PARENT.run("palitra.echo") rescue $!).class
      [200, {}, ["\#{replies.first} \#{refused} \#{Process.pid}"]]
    end)
  RUBY

  def test_workers_of_a_preloaded_application_have_runners_of_their_own
    serve do |port|
      answers = {}
      eventually do
        texts = Array.new(8) { |i| Thread.new { Net::HTTP.get("127.0.0.1", "/#{i}", port) } }.map(&:value)
        texts.each_with_index do |text, i|
          path, refused, worker = text.split
          assert_equal ["/#{i}", "Palitra::ForkedError"], [path, refused], text
          answers[worker] = true
        end
        answers.size == 2
      end
    end
  end

  private

  # Runs Puma until the block has returned.
  def serve
    Dir.mktmpdir do |folder|
      File.write("#{folder}/config.ru", APPLICATION)
      port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
      log = "#{folder}/log"
      puma = spawn(*RUBY, "-S", "puma", "--workers", "2", "--preload", "--threads", "5:5", "--bind",
                   "tcp://127.0.0.1:#{port}", chdir: folder, out: log, err: log)
      begin
        eventually { File.read(log).include?("Worker 1") || flunk_if_ended(puma, log) }
        yield port
      ensure
        Process.kill(:TERM, puma)
        Process.wait(puma)
      end
    end
  end

  def flunk_if_ended(puma, log)
    flunk(File.read(log)) if Process.wait(puma, Process::WNOHANG)
  end
end
