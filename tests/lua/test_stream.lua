-- Streams: order, back-pressure, failures, and readers that leave.

local helpers = require("helpers")
local test, equal, raises, till = helpers.test, helpers.equal, helpers.raises, helpers.till

local function read(items)
  local all = {}
  for item in items do
    all[#all + 1] = item
  end
  return table.concat(all, " ")
end

local function numbers(n)
  local all = {}
  for i = 1, n do
    all[i] = i - 1
  end
  return table.concat(all, " ")
end

test("every item arrives in order, however many there are", function(runner)
  local run = runner()
  equal(read(run:stream("test.stream", { items = 5000 })), numbers(5000))
  local job = run:submit("test.stream", { items = 40 }, { stream_items = 1 })
  equal(read(job:items()), numbers(40))
  job:wait()
end)

test("a failure is raised after the items before it", function(runner)
  local items = runner():stream("test.stream", { items = 3, fail_at = 1 })
  equal(items(), "0")
  equal(raises("JOB_FAILED", items).code, 7)
end)

test("a job waits for a slow reader", function(runner)
  local run = runner()
  local job = run:submit("test.stream", { items = 40 })
  run:run("palitra.sleep", { seconds = 0.05 })
  equal(run:stats().running, 1)
  equal(read(job:items()), numbers(40))
end)

test("a stream that is left early is cancelled, at its close or when it is collected", function(runner)
  local run = runner()
  local items = run:stream("test.stream", { items = 1000 })
  equal(items(), "0")
  items:close()
  till(function()
    return run:stats().cancelled == 1
  end)
  for item in run:stream("test.stream", { items = 1000 }) do
    if item == "3" then
      break
    end
  end
  till(function()
    collectgarbage()
    return run:stats().cancelled == 2
  end)
end)

helpers.finish()
