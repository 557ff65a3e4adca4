-- One job and many, on a runner and on the global one: replies, failures, limits, cancellation.

local helpers = require("helpers")
local palitra = require("palitra")
local test, equal, raises, till = helpers.test, helpers.equal, helpers.raises, helpers.till

test("a payload and a reply follow the format of the job", function()
  equal(palitra.run("palitra.echo", "grüße\0\255"), "grüße\0\255")
  equal(palitra.run("palitra.echo"), "")
  equal(palitra.run("palitra.sleep", { seconds = 0 }).seconds, 0)
  equal(palitra.run("palitra.sleep", '{"seconds":0}').seconds, 0)
  local large = ("palitra"):rep(1e6)
  equal(palitra.run("palitra.echo", large), large)
end)

test("what is no payload or no job is refused with a reason", function()
  equal(raises("INVALID_ARGUMENT", palitra.run, "palitra.echo", 7).message,
    "the payload of palitra.echo is a string, not number")
  equal(raises("INVALID_ARGUMENT", palitra.run, nil).message, "the name of a job is a string, not nil")
  raises("INVALID_ARGUMENT", palitra.run, "palitra.echo\0", "")
  raises("INVALID_ARGUMENT", palitra.run, "palitra.sleep", { seconds = print })
  raises("INVALID_ARGUMENT", palitra.run, "palitra.echo", "", { timeout = -1 })
  raises("INVALID_ARGUMENT", palitra.run, "palitra.echo", "", { timeout = "1" })
  raises("INVALID_ARGUMENT", palitra.gather, "palitra.echo")
  raises("INVALID_ARGUMENT", palitra.gather, { "palitra.echo" })
  equal(palitra.run("palitra.echo", "x", { timeout = math.huge }), "x")
end)

test("every failure has its status, its code and its message", function(runner)
  local run = runner()
  local failure = raises("JOB_FAILED", run.run, run, "test.fail", { code = 404, message = "missing" })
  equal(failure.code, 404)
  equal(failure.message, "missing")
  equal(tostring(failure), "PALITRA_JOB_FAILED 404: missing")
  raises("BAD_PAYLOAD", run.run, run, "palitra.sleep", "[]")
  equal(raises("JOB_PANICKED", run.run, run, "test.panic", "boom").message, "boom")
  for _, call in ipairs({ run.run, run.submit, run.stream }) do
    local unknown = raises("UNKNOWN_JOB", call, run, "palitra.eko")
    equal(unknown.message:match('nearest is "(.-)"'), "palitra.echo")
  end
  raises("UNKNOWN_JOB", run.gather, run, { { "palitra.echo" }, { "palitra.eko" } })
end)

test("a runner has the limits of its options", function(runner)
  local limited = runner({ max_in_flight = 1, max_payload = 4, name = "mine" })
  local first = limited:submit("test.never")
  raises("BUSY", limited.run, limited, "palitra.echo")
  first:cancel()
  raises("CANCELLED", first.wait, first)
  till(function()
    return limited:stats().running == 0
  end)
  raises("TOO_LARGE", limited.run, limited, "palitra.echo", "12345")
  equal(raises("INVALID_ARGUMENT", palitra.runner, { max_in_flight = -1 }).message, "max_in_flight is a count, not -1")
  equal(raises("INVALID_ARGUMENT", palitra.runner, { max_inflight = 1 }).message, "a runner has no option max_inflight")
  raises("INVALID_ARGUMENT", palitra.runner, { worker_threads = 1e6 })
end)

test("a timeout cancels the job, also one that never yields", function(runner)
  local run = runner()
  raises("DEADLINE", run.run, run, "test.never", nil, { timeout = 0.01 })
  raises("DEADLINE", run.run, run, "test.spin", { seconds = 0.2 }, { timeout = 0.01 })
  raises("DEADLINE", run.gather, run, { { "test.never" }, { "palitra.echo" } }, { timeout = 0.01 })
end)

test("a gather keeps the order, and says which failed", function(runner)
  local run = runner()
  local fail = { "test.fail", { code = 1, message = "no" } }
  local jobs = { { "palitra.sleep", { seconds = 0.12 } }, fail, { "palitra.echo", "c" } }
  equal(raises("JOB_FAILED", run.gather, run, jobs).code, 1)
  local settled = run:gather(jobs, { settled = true })
  equal(settled[1].value.seconds, 0.12)
  equal(settled[2].error.code, 1)
  equal(settled[3].value, "c")
  equal(#run:gather({}), 0)
  local many = {}
  for i = 1, 10000 do
    many[i] = { "palitra.echo", tostring(i) }
  end
  for i, value in ipairs(run:gather(many)) do
    equal(value, tostring(i))
  end
end)

test("a fail-fast gather cancels the rest at the first failure", function(runner)
  local run = runner()
  local jobs = { { "test.never" }, { "test.fail", { code = 1, message = "no" } }, { "test.never" } }
  equal(raises("JOB_FAILED", run.gather, run, jobs, { fail_fast = true }).code, 1)
  till(function()
    return run:stats().cancelled == 2
  end)
end)

test("a submitted job can be waited for, looked at, cancelled and asked for its progress", function(runner)
  local run = runner()
  local job = run:submit("test.progress", { steps = { { 1, 4 }, { 3, 4 } }, finish = true })
  job:wait()
  job:wait(0)
  equal(table.concat({ job:progress() }, " "), "3 4")
  equal(job:poll(), true)
  local never = run:submit("test.never")
  equal(never:poll(), false)
  raises("PENDING", never.wait, never, 0.01)
  raises("PENDING", never.wait, never, 0)
  never:cancel()
  never:cancel()
  raises("CANCELLED", never.wait, never)
  raises("DEADLINE", function()
    run:submit("test.never", nil, { timeout = 0.01 }):wait()
  end)
end)

test("a runner that was shut down refuses, and one that was closed is gone", function(runner)
  local run = runner()
  local running = run:submit("palitra.sleep", { seconds = 0.05 })
  equal(run:shutdown({ grace = 60 }), true)
  equal(running:wait().seconds, 0.05)
  equal(run:is_alive(), false)
  raises("SHUT_DOWN", run.run, run, "palitra.echo")
  run:close()
  run:close()
  raises("INVALID_HANDLE", run.run, run, "palitra.echo")
  raises("INVALID_HANDLE", run.stats, run)
end)

test("the global runner is made anew after its shutdown", function()
  palitra.run("palitra.echo")
  equal(palitra.is_runner_alive(), true)
  equal(palitra.shutdown_global_runner(), true)
  equal(palitra.is_runner_alive(), false)
  equal(palitra.run("palitra.echo", "again"), "again")
end)

test("a configuration reaches the states of the jobs", function(runner)
  equal(runner({ config = { ["test.configured"] = { text = "given" } } }):run("test.configured"), "given")
  raises("INVALID_ARGUMENT", palitra.configure, "{")
end)

test("what is no library is refused with a reason", function()
  equal(raises("INVALID_ARGUMENT", palitra.load, "/nowhere.so").message:match("cannot open"), "cannot open")
  equal(raises("INVALID_ARGUMENT", palitra.load, "libc.so.6").message, "libc.so.6 is not a library of palitra")
end)

test("a hundred thousand runs leave the memory as it was", function()
  local function resident()
    local statm = assert(io.open("/proc/self/statm"))
    local pages = tonumber(statm:read("*a"):match("%d+ (%d+)"))
    statm:close()
    return pages
  end
  local function runs(n)
    for _ = 1, n do
      palitra.run("palitra.echo", "x")
      palitra.submit("palitra.echo", "x"):wait()
    end
    collectgarbage()
  end
  runs(20000)
  local before = resident()
  runs(100000)
  local grown = (resident() - before) * 4096
  assert(grown < 4e6, grown .. " bytes more")
end)

helpers.finish()
