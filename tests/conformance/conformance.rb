# frozen_string_literal: true

# The conformance scenarios through the Ruby binding: README.md says what an interpreter is.
#
# Called by tests/conformance.rs, after tests/conformance/beneath.sh:
#
#     ruby -Ibindings/ruby/lib tests/conformance/conformance.rb FILE
#
# It judges nothing and exits with 0 when it has come to the end of the file. A token is the job that `submit` returns.
# What a program in Ruby cannot do, or cannot get wrong, is done by the C functions beneath, and said there.

require "palitra"

ENV["PALITRA_LIBRARY"] = "#{ENV.fetch('PALITRA_LIBRARY_DIR')}/libpalitra_test_jobs.so"
LIBRARY = Palitra.library
NATIVE = LIBRARY.native

# A program never holds a token, and the binding frees one as soon as its job has finished. Here they live to the end of
# their scenario.
FREE_TOKEN = NATIVE.method(:token_free).unbind.bind(NATIVE)
NATIVE.define_singleton_method(:token_free) { |_token| nil }

# What no function of Ruby can do: a call on the runner's own thread, and a time limit that ends a process.
module Beneath
  extend FFI::Library

  ffi_lib File.expand_path("../../target/conformance-beneath.so", __dir__), FFI::Library::LIBC
  attach_function :beneath_callback, %i[uint64 uint64 pointer], :int32, blocking: true
  attach_function :alarm, %i[uint], :uint
end

CHILD_SECONDS = 20

# What steps come to, in the words of the file.
module Outcome
  module_function

  def name_of(status)
    NATIVE.status_name(status).delete_prefix("PALITRA_")
  end

  def of_value(value)
    text = value.is_a?(String) ? value : JSON.generate(value)
    text.empty? ? "OK" : "OK #{text.dup.force_encoding(Encoding::UTF_8)}"
  end

  def of_error(error)
    status = error.status.delete_prefix("PALITRA_")
    case error
    when Palitra::BadPayloadError, Palitra::JobPanickedError then "#{status} #{error.message}"
    when Palitra::JobError then "#{status} #{error.code} #{error.message}".rstrip
    else status
    end
  end

  # What a call that fills a reply came to.
  def of_reply
    of_value(yield)
  rescue Palitra::Error => e
    of_error(e)
  end

  # What a call that fills no reply came to.
  def of_status
    yield
    "OK"
  rescue Palitra::Error => e
    of_error(e)
  end
end

# What the jobs of the program do.
module HostJobs
  NOTES = Hash.new { |notes, job| notes[job] = Queue.new }
  %w[host.twice host.wait].each { |job| NOTES[job] }

  module_function

  def echo(text, _call)
    text
  end

  def fail(text, _call)
    raise Palitra::JobError.new(text, code: 7)
  end

  # The gem answers a call once: both answers are given beneath.
  def twice(text, call)
    handle = call.instance_variable_get(:@handle)
    2.times do
      NOTES["host.twice"] << Outcome.name_of(NATIVE.call_complete(handle, 0, 0, 1, text, text.bytesize))
    end
  end

  # The gem answers every call: this one is freed beneath.
  def give_up(_text, call)
    NATIVE.call_free(call.instance_variable_get(:@handle))
  end

  def wait(_text, call)
    call.progress(1, 2)
    NOTES["host.wait"] << "CALLED"
    sleep 0.001 until call.cancelled?
    NOTES["host.wait"] << "CANCELLED"
  end

  def count(text, _call)
    (0...Integer(text)).lazy.map(&:to_s)
  end
end

# What the handle alone gives.
module Handle
  attr_reader :handle

  def beneath
    reply = Palitra::Native::Reply.new
    NATIVE.token_poll(handle, reply)
    return "PENDING" if reply[:status] == Palitra::Native::PENDING

    Outcome.of_reply { LIBRARY.value_of(reply) }
  end

  def free
    @is_bare = true
    FREE_TOKEN.call(handle)
  end
end

# A submitted job.
class Token
  include Handle

  def initialize(job)
    @job = job
    @handle = job.instance_variable_get(:@token)
  end

  def wait(time = nil)
    return beneath if @is_bare

    Outcome.of_reply { @job.wait(time) ? @job.value : (return "PENDING") }
  end

  def poll
    wait(0)
  end

  def cancel
    return Outcome.name_of(NATIVE.token_cancel(handle)) if @is_bare

    Outcome.of_status { @job.cancel }
  end

  # `each` reads to the end. This is what it calls for one item.
  def next
    item = @job.send(:take_item)
    item ? Outcome.of_value(item.first) : "END"
  rescue Palitra::Error => e
    Outcome.of_error(e)
  end

  def progress
    "OK #{@job.progress.join(' ')}"
  end
end

# A job of a gather whose outcome is asked for on its own.
class GatheredToken
  include Handle

  def initialize(handle, mailbox)
    @handle = handle
    @mailbox = mailbox
  end

  def wait
    @mailbox.wait_for(handle)
    beneath
  end

  def poll
    beneath
  end

  def cancel
    Outcome.name_of(NATIVE.token_cancel(handle))
  end
end

# The verbs.
class Scenario
  attr_reader :name
  attr_accessor :steps

  def initialize(name)
    @name = name
    @steps = 0
    @runners = {}
    @tokens = {}
    @threads = {}
  end

  def carry_out(words)
    verb, *operands = words
    named = {}
    while operands.last&.match?(/\A[a-z_]+=/)
      name, value = operands.pop.split("=", 2)
      named[name.to_sym] = value
    end
    send(:"step_#{verb}", *operands, **named)
  rescue StandardError => e
    "error: #{e.full_message(highlight: false).tr("\n", ' ')}"
  end

  # A job that has not finished gives its descriptor back when it is collected.
  def free_everything
    @tokens.each_value(&:free)
    @runners.each_value(&:close)
    [@tokens, @runners].each(&:clear)
    GC.start
  end

  private

  def seconds(time)
    time && (Integer(time[/\d+/]) / (time.end_with?("ms") ? 1000.0 : 1))
  end

  def payload_of(word)
    word == "-" ? "".b : word.b
  end

  def step_runner(name, max_in_flight: 0, max_payload: 0, config: nil)
    # A program gives a hash, which is always an object in JSON. What is none is given as a text.
    config = begin
      config && JSON.parse(config)
    rescue JSON::ParserError
      config
    end
    limits = { max_in_flight: Integer(max_in_flight), max_payload: Integer(max_payload) }
    Outcome.of_status { @runners[name] = Palitra::Runner.new(library: LIBRARY, config:, **limits) }
  end

  def step_alive(runner)
    @runners[runner].alive?.to_s
  end

  def step_submit(name, runner, job, payload, deadline: nil)
    Outcome.of_status do
      @tokens[name] = Token.new(@runners[runner].submit(job, payload_of(payload), timeout: seconds(deadline)))
    end
  end

  # What `gather` submits with: no method returns the jobs.
  def step_submit_many(runner, *words)
    names, jobs = words.each_slice(3).map { |name, job, payload| [name, [job, payload_of(payload)]] }.transpose
    mailbox = Palitra::Mailbox.new(LIBRARY)
    together = Palitra::Gather.new(@runners[runner], mailbox, jobs)
    refusal = Outcome.of_status { together.send(:submit, nil) }
    tokens = together.send(:tokens)
    names.zip(tokens) { |name, token| @tokens[name] = GatheredToken.new(token, mailbox) if token }
    "#{refusal} #{tokens.size}"
  end

  def step_run(runner, job, payload, timeout: nil)
    Outcome.of_reply { @runners[runner].run(job, payload_of(payload), timeout: seconds(timeout)) }
  end

  def step_wait(token, time = nil)
    time ? @tokens[token].wait(seconds(time)) : @tokens[token].wait
  end

  def step_poll(token)
    @tokens[token].poll
  end

  def step_cancel(token)
    @tokens[token].cancel
  end

  # `gather` submits what it gathers, so the jobs here are awaited one by one, and the failure is looked for.
  def step_gather(*names)
    fail_fast = names.first == "fail_fast"
    tokens = names.drop(fail_fast ? 1 : 0).map { |name| @tokens[name] }
    if fail_fast
      sleep 0.001 until tokens.any? { |token| !token.poll.match?(/\A(OK|PENDING)/) }
      tokens.each(&:cancel)
    end
    tokens.map(&:wait).join(" | ")
  end

  def step_next(token)
    @tokens[token].next
  end

  def step_drain(token)
    items = [@tokens[token].next]
    items.push(items.pop.delete_prefix("OK "), @tokens[token].next) while items.last.start_with?("OK")
    items.join(" ")
  end

  def step_progress(token)
    @tokens[token].progress
  end

  def step_free(name)
    @tokens.key?(name) ? @tokens[name].free : @runners[name].close
    "OK"
  end

  # Nobody can make a job or a runner of a number.
  def step_forged(kind)
    forged = 0x0123456789abcdef
    return Outcome.name_of(NATIVE.token_poll(forged, nil)) if kind == "token"

    Outcome.name_of(NATIVE.runner_submit(forged, "palitra.echo", "", 0, nil, nil))
  end

  def step_shutdown(runner, grace)
    @runners[runner].shutdown(grace: seconds(grace)) ? "OK" : "PENDING"
  rescue Palitra::Error => e
    Outcome.of_error(e)
  end

  def step_register(runner, job, does)
    Outcome.of_status { @runners[runner].register(job, input: :text) { |text, call| HostJobs.send(does, text, call) } }
  end

  def step_note(job)
    HostJobs::NOTES[job].pop
  end

  # A thread of Ruby is notified of the end.
  def step_ready(token)
    Thread.new { step_wait(token) }.value
  end

  def step_callback(token, _wait, other)
    reply = Palitra::Native::Reply.new
    Beneath.beneath_callback(@tokens[token].handle, @tokens[other].handle, reply)
    Outcome.of_reply { LIBRARY.value_of(reply) }
  end

  def step_thread(name, *step)
    @threads[name] = Thread.new { carry_out(step) }
    "OK"
  end

  def step_join(name)
    @threads[name].value
  end

  def step_fork(call, name = nil, *rest)
    child = fork do
      Beneath.alarm(CHILD_SECONDS)
      status = Outcome.of_status { in_child(call, name, *rest) }
      exit!(Palitra::Native::OK) if status == "OK"
      exit!((2..255).find { |number| Outcome.name_of(number) == status } || 1)
    end
    _, ended = Process.wait2(child)
    ended.signaled? ? "error: signal #{ended.termsig}" : Outcome.name_of(ended.exitstatus)
  end

  def in_child(call, name, job = nil, payload = nil)
    case call
    when "run" then @runners[name].run(job, payload_of(payload))
    when "global" then Palitra.run("palitra.echo")
    # Ruby has the reply of a job that has finished, so this asks the token.
    else LIBRARY.check(NATIVE.token_poll(@tokens[name].handle, nil))
    end
  end
end

scenario = Scenario.new("")
File.readlines(ARGV.fetch(0), chomp: true, encoding: "UTF-8").reject(&:empty?).each do |line|
  words = line.split
  if words.first == "scenario"
    scenario.free_everything
    scenario = Scenario.new(words[1])
    next
  end
  scenario.steps += 1
  $stdout.write("#{scenario.name}\t#{scenario.steps}\t#{scenario.carry_out(words)}\n")
  $stdout.flush
end
scenario.free_everything
