-- Coroutines: what waits lets the others run, in palitra's own loop and in that of luv.

local helpers = require("helpers")
local palitra, jobs = require("palitra"), helpers.jobs
local test, equal, raises, till = helpers.test, helpers.equal, helpers.raises, helpers.till

test("coroutines wait beside each other", function(runner)
  local run, order = runner(), {}
  local results = { palitra.loop(function(...)
    for i = 3, 1, -1 do
      palitra.spawn(function()
        run:run("palitra.sleep", { seconds = i * 0.1 })
        order[#order + 1] = i
      end)
    end
    equal(#order, 0)
    return ...
  end, 1, nil, 3) }
  equal(table.concat(order, " "), "1 2 3")
  equal(results[1] + results[3], 4)
end)

test("every call yields in a loop", function(runner)
  local run, turns, is_over = runner(), 0, false
  palitra.loop(function()
    palitra.spawn(function()
      while not is_over do
        jobs.run("test.nested", "x")
        turns = turns + 1
      end
    end)
    run:run("palitra.sleep", { seconds = 0.05 })
    run:gather({ { "palitra.sleep", { seconds = 0.05 } }, { "palitra.echo" } })
    run:submit("palitra.sleep", { seconds = 0.05 }):wait()
    local job = run:submit("test.stream", { items = 100 })
    for item in job:items() do
      assert(item)
    end
    job:wait()
    equal(#run:gather({}), 0)
    is_over = true
  end)
  assert(turns > 10, turns)
end)

test("failures, timeouts and cancels are raised in the coroutine", function(runner)
  local run = runner()
  palitra.loop(function()
    raises("DEADLINE", run.run, run, "test.never", nil, { timeout = 0.01 })
    raises("JOB_FAILED", run.run, run, "test.fail", { code = 1, message = "no" })
    raises("JOB_FAILED", run.gather, run, { { "test.never" }, { "test.fail", { code = 1, message = "no" } } },
      { fail_fast = true })
    local never = run:submit("test.never")
    raises("PENDING", never.wait, never, 0.02)
    raises("PENDING", never.wait, never, 0)
    palitra.spawn(function()
      run:run("palitra.sleep", { seconds = 0.01 })
      never:cancel()
    end)
    raises("CANCELLED", never.wait, never)
    raises("INVALID_ARGUMENT", palitra.loop, function() end)
  end)
end)

test("several coroutines may wait for one job", function(runner)
  local run, done = runner(), 0
  palitra.loop(function()
    local job = run:submit("palitra.sleep", { seconds = 0.02 })
    for _ = 1, 3 do
      palitra.spawn(function()
        job:wait()
        done = done + 1
      end)
    end
    job:wait()
  end)
  equal(done, 3)
end)

test("a failure ends the loop, and what its coroutines waited for is cancelled", function(runner)
  local run = runner()
  local ok, failure = pcall(palitra.loop, function()
    palitra.spawn(function()
      run:run("test.never")
    end)
    run:run("palitra.sleep", { seconds = 0.01 })
    error("mine", 0)
  end)
  equal(ok, false)
  equal(failure, "mine")
  till(function()
    collectgarbage()
    return run:stats().cancelled == 1
  end)
  equal(palitra.loop(run.run, run, "palitra.echo", "another loop"), "another loop")
end)

test("a thousand coroutines wait on one thread of the library", function(runner)
  local run, done = runner(), 0
  palitra.loop(function()
    for _ = 1, 1000 do
      palitra.spawn(function()
        run:run("palitra.sleep", { seconds = 0.1 })
        done = done + 1
      end)
    end
  end)
  equal(done, 1000)
end)

test("luv's loop wakes coroutines by the descriptor of the events", function(runner)
  local uv, run = require("luv"), runner()
  local poll, timer, ticks, got = uv.new_poll(jobs.fd()), uv.new_timer(), 0, nil
  timer:start(1, 1, function()
    ticks = ticks + 1
  end)
  poll:start("r", jobs.dispatch)
  palitra.spawn(function()
    run:run("palitra.sleep", { seconds = 0.1 })
    got = run:gather({ { "palitra.echo", "a" }, { "test.nested", "b" } })
    poll:close()
    timer:close()
  end)
  uv.run()
  equal(table.concat(got), "ab")
  assert(ticks > 10, ticks)
end)

helpers.finish()
