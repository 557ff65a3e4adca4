-- Coroutines that sleep until an event of a job, and the loop that wakes them: one poll(2) over the descriptors of the
-- queues. Another event loop can take its place: see `fd` and `dispatch` of the package.

local ffi = require("ffi")
local abi = require("palitra.abi")
local errors = require("palitra.errors")

local tasks = {}

local is_task = setmetatable({}, { __mode = "k" })
-- The coroutines that sleep in a call of this package, and those that the events of this turn wake.
local asleep, n_asleep, ready = {}, 0, {}
-- Each library whose queue has events for somebody.
local libraries = {}
-- The process whose coroutines these are: the last that made a queue.
local process

--- The coroutine that is running, if a call may put it to sleep.
function tasks.current()
  local co = coroutine.running()
  return co ~= nil and is_task[co] and co or nil
end

--- Lets the running coroutine sleep until `wake`. Somebody else may resume it too: ask again what it waits for.
function tasks.sleep(co)
  asleep[co] = true
  n_asleep = n_asleep + 1
  coroutine.yield()
  if asleep[co] then
    asleep[co] = nil
    n_asleep = n_asleep - 1
  end
end

function tasks.wake(co)
  if asleep[co] then
    asleep[co] = nil
    n_asleep = n_asleep - 1
    ready[#ready + 1] = co
  end
end

function tasks.are_asleep()
  return n_asleep > 0
end

--- Forgets every coroutine that sleeps, after a failure.
function tasks.forget()
  asleep, n_asleep, ready = {}, 0, {}
  for _, library in ipairs(libraries) do
    library.waiting = {}
  end
  -- What they waited for is cancelled as it is collected.
  collectgarbage()
end

--- Is called before a queue is made. A forked child forgets whoever sleeps in its parent: it has none of those jobs. It
--- does so once, for its own coroutines may sleep already when it makes a queue for another library.
function tasks.enter_process()
  local current = ffi.C.getpid()
  if process and process ~= current then
    tasks.forget()
  end
  process = current
end

function tasks.add(library)
  libraries[#libraries + 1] = library
end

--- Runs a function in a coroutine of its own, up to its first sleep.
function tasks.spawn(f, ...)
  local co = coroutine.create(f)
  is_task[co] = true
  local ok, failure = coroutine.resume(co, ...)
  if not ok then
    error(failure, 0)
  end
end

--- Resumes whom the events have woken. The first failure is raised when all have had their turn.
function tasks.resume()
  local failed, failure
  local woken = ready
  ready = {}
  for _, co in ipairs(woken) do
    local ok, raised = coroutine.resume(co)
    if not ok and not failed then
      failed, failure = true, raised
    end
  end
  if failed then
    error(failure, 0)
  end
end

local function turn()
  local fds = ffi.new("struct palitra_pollfd[?]", #libraries)
  for i, library in ipairs(libraries) do
    fds[i - 1].fd = library:fd()
    fds[i - 1].events = 1
  end
  ffi.C.poll(fds, #libraries, abi.SLICE / 1e6)
  for _, library in ipairs(libraries) do
    library:take_events()
  end
  tasks.resume()
end
jit.off(turn)


local function pack(...)
  return { n = select("#", ...), ... }
end

--- Runs a function, and what it spawns, to their ends; returns what the function returns. A failure ends the loop.
function tasks.loop(f, ...)
  if tasks.current() then
    errors.refuse("a loop runs already: call palitra.spawn in it")
  end
  local results
  local ok, failure = pcall(function(...)
    tasks.spawn(function(...)
      results = pack(f(...))
    end, ...)
    while n_asleep > 0 do
      turn()
    end
  end, ...)
  if not ok then
    tasks.forget()
    error(failure, 0)
  end
  return unpack(results, 1, results.n)
end

return tasks
