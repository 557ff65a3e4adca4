-- palitra from LuaJIT beside LuaJIT's own ways, in turns: `make bench-lua`.
--
-- A figure is the median over the rounds; a ratio is the median of the rival's figure divided by palitra's of the same
-- round, so above 1 palitra is faster.

local ffi = require("ffi")
local palitra = require("palitra")

local ROUNDS = 15

ffi.cdef([[
typedef struct { long seconds; long nanoseconds; } bench_time;
int clock_gettime(int clock, bench_time *time);
]])
local C = ffi.load(os.getenv("PALITRA_LIBRARY"))

local now_is = ffi.new("bench_time")
local function now()
  ffi.C.clock_gettime(1, now_is)
  return tonumber(now_is.seconds) * 1e6 + tonumber(now_is.nanoseconds) / 1e3
end

local function each(n, f)
  return function()
    for _ = 1, n do
      f()
    end
  end
end

local switching = coroutine.wrap(function()
  while true do
    coroutine.yield()
  end
end)
local hundred = {}
for i = 1, 100 do
  hundred[i] = { "palitra.echo", "x" }
end

local function ready()
  palitra.run("palitra.echo", "x")
end
local function call()
  C.palitra_is_runner_alive()
end
local function gather()
  palitra.gather(hundred)
end
local function submitted()
  palitra.submit("palitra.echo", "x"):wait()
end
local function in_loop(f)
  return function()
    palitra.loop(f)
  end
end

local rows = {
  { "a ready job", 10000, each(10000, ready), "a call of the ffi", each(10000, call) },
  { "a ready job", 10000, each(10000, ready), "a switch of coroutines", each(10000, switching) },
  { "the same in a loop", 10000, in_loop(each(10000, ready)), "a switch of coroutines", each(10000, switching) },
  { "a gather of 100", 100, each(100, gather), "100 switches of coroutines", each(10000, switching) },
  { "a gather of 100 in a loop", 100, in_loop(each(100, gather)), "100 runs, one after the other", each(10000, ready) },
  { "a job submitted, and its reply", 500, each(500, submitted), "a ready job", each(500, ready) },
}

local function median(values)
  table.sort(values)
  return values[math.floor(#values / 2) + 1]
end

local function timed(n, work)
  local start = now()
  work()
  return (now() - start) / n
end

print("| palitra | us | rival | us | ratio |\n|---|---|---|---|---|")
for _, row in ipairs(rows) do
  local name, n, own, rival, theirs = unpack(row)
  local mine, others, ratios = {}, {}, {}
  timed(n, own)
  timed(n, theirs)
  for round = 1, ROUNDS do
    if round % 2 == 0 then
      mine[round], others[round] = timed(n, own), timed(n, theirs)
    else
      others[round], mine[round] = timed(n, theirs), timed(n, own)
    end
    ratios[round] = others[round] / mine[round]
  end
  print(("| %s | %.2f | %s | %.2f | %.2f |"):format(name, median(mine), rival, median(others), median(ratios)))
end
