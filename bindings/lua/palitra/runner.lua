-- A runner: a background thread of a library that runs jobs. In a coroutine of a loop its calls let the coroutine
-- sleep, elsewhere they block.

local ffi = require("ffi")
local abi = require("palitra.abi")
local errors = require("palitra.errors")
local tasks = require("palitra.tasks")
local Job = require("palitra.job")
local Library = require("palitra.library")

local Runner = {}
Runner.__index = Runner

local COUNTS = { "worker_threads", "max_blocking_threads", "max_in_flight", "max_payload" }
local OPTIONS = { name = true, config = true }
for _, count in ipairs(COUNTS) do
  OPTIONS[count] = true
end
local NONE = {}

--- Makes a runner. Its options are those of palitra_runner_options, and `name`; `config` is a table or JSON.
function Runner.new(library, options)
  options = options or NONE
  local given = ffi.new("palitra_runner_options", { size = ffi.sizeof("palitra_runner_options") })
  for option in pairs(options) do
    if not OPTIONS[option] then
      errors.refuse("a runner has no option %s", tostring(option))
    end
  end
  for _, option in ipairs(COUNTS) do
    local count = options[option] or 0
    if type(count) ~= "number" or count < 0 or count > 0xffffffff or count % 1 ~= 0 then
      errors.refuse("%s is a count, not %s", option, tostring(count))
    end
    given[option] = count
  end
  local config = Library.configuration(options.config)
  given.thread_name, given.config = options.name, config
  local handle = ffi.new("uint64_t[1]")
  library:check(library.C.palitra_runner_new(given, handle))
  ffi.gc(handle, function(freed)
    library.C.palitra_runner_free(freed[0])
  end)
  -- The compiler of LuaJIT releases what nothing uses any more: what the call reads is used behind it.
  return setmetatable({ library = library, handle = handle, config = config }, Runner)
end

--- The runner that a library has for every program; `id` makes it anew if it was shut down.
function Runner.global(library)
  local self = setmetatable({ library = library, handle = ffi.new("uint64_t[1]"), is_global = true }, Runner)
  function self.id()
    library:check(library.C.palitra_runner_global(self.handle))
    return self.handle[0]
  end
  return self
end

function Runner:id()
  return self.handle[0]
end

-- ---- one job

-- Has the job of a token end with it, if nobody waits for it any more: after Ctrl-C, or a failure of the loop.
local function bind(library, token)
  return ffi.gc(token, function(freed)
    library.C.palitra_token_cancel(freed[0])
    library.C.palitra_token_free(freed[0])
  end)
end

local function release(library, token)
  ffi.gc(token, nil)
  library.C.palitra_token_free(token[0])
end

local function sleep_until_told(library, co, first, n, is_enough)
  local left, enough = n, false
  for tag = first, first + n - 1 do
    library.waiting[tag] = function(status)
      left = left - 1
      enough = left == 0 or is_enough(status)
      if enough then
        tasks.wake(co)
      end
    end
  end
  while not enough do
    tasks.sleep(co)
  end
end

local function never()
  return false
end

local function in_slices(wait)
  local status
  repeat
    status = wait(abi.SLICE)
  until status ~= abi.PENDING
  return status
end
jit.off(in_slices)

local submit_options = ffi.new("palitra_submit_options", { size = ffi.sizeof("palitra_submit_options") })

-- How `run` and `gather` submit: nobody reads items. Only a coroutine is notified by an event.
local function options_for(library, co, timeout, flags, tag)
  submit_options.flags = flags
  submit_options.deadline_ns = timeout and abi.time(timeout, 0) or 0
  submit_options.queue = co and library:queue() or 0
  submit_options.tag = tag
  return submit_options
end

--- Runs a job to its end and returns its reply. Past `timeout`, in seconds, it is cancelled: PALITRA_DEADLINE.
function Runner:run(job, payload, options)
  local library, co = self.library, tasks.current()
  local C, reply, out = library.C, library.reply, library.token
  local data = library:encode(job, payload)
  local tag = co and library:take_tags(1) or 0
  local given = options_for(library, co, options and options.timeout, abi.NO_ITEMS + abi.INLINE_ONLY, tag)
  local status = C.palitra_runner_start(self:id(), job, data, #data, given, out, reply)
  if library:is_reborn(status) then
    C.palitra_reply_free(reply)
    return self:run(job, payload, options)
  elseif status ~= abi.PENDING then
    return library:value(reply)
  end
  local token = bind(library, ffi.new("uint64_t[1]", out[0]))
  C.palitra_reply_free(reply)
  if co then
    sleep_until_told(library, co, tag, 1, never)
  else
    in_slices(function(slice)
      return C.palitra_token_wait(token[0], slice, nil)
    end)
  end
  C.palitra_token_poll(token[0], reply)
  release(library, token)
  return library:value(reply)
end

--- Submits a job and returns it. Options: `timeout`, and `stream_items`, how many items wait for a reader.
function Runner:submit(job, payload, options)
  return Job.submit(self, job, payload, options or NONE)
end

local Stream = {}
Stream.__index = Stream

function Stream:__call()
  return self.job:next()
end

--- Cancels the job, whose items nobody reads any more.
function Stream:close()
  self.job:cancel()
end

--- The items of a job: `for item in runner:stream(job, payload) do`. A stream that is left early is cancelled when it
--- is closed or collected.
function Runner:stream(job, payload, options)
  local streaming = Job.submit(self, job, payload, options or NONE)
  bind(self.library, streaming.token)
  return setmetatable({ job = streaming }, Stream)
end

-- ---- many jobs

--- Submits { job, payload } pairs with one call: how many were, their tokens and why the next was refused, if one was.
function Runner:submit_many(jobs, given, first_tag)
  local library, n = self.library, #jobs
  local submissions = ffi.new("palitra_submission[?]", n)
  local tokens, taken = ffi.new("uint64_t[?]", n), ffi.new("size_t[1]")
  local payloads = {}
  for i, pair in ipairs(jobs) do
    local submission, job = submissions[i - 1], type(pair) == "table" and pair[1]
    payloads[i] = library:encode(job, type(pair) == "table" and pair[2])
    submission.job, submission.data, submission.len = job, payloads[i], #payloads[i]
    submission.tag = first_tag + i - 1
  end
  local status = library.C.palitra_runner_submit_many(self:id(), submissions, n, given, tokens, taken)
  return tonumber(taken[0]), tokens, status, payloads
end

local function outcomes_of(library, replies, n)
  local outcomes = {}
  for i = 1, n do
    local ok, value = library:outcome(replies[i - 1])
    outcomes[i] = ok and { ok = true, value = value } or { ok = false, error = value }
  end
  return outcomes
end

-- The first failure in time, as its status tells, or else in order.
local function raise_failure(library, outcomes, status)
  local name = ffi.string(library.C.palitra_status_name(status))
  local first
  for _, outcome in ipairs(outcomes) do
    if not outcome.ok and (first == nil or (first.status ~= name and outcome.error.status == name)) then
      first = outcome.error
    end
  end
  if first then
    error(first, 0)
  end
end

--- Runs many jobs beside each other, { { job, payload }, ... }, and returns their replies in this order.
---
--- Options: `timeout` for each job; `fail_fast`: at the first failure the rest is cancelled; `settled`: instead of
--- raising the first failure it returns { ok = true, value = ... } or { ok = false, error = ... } for each job.
function Runner:gather(jobs, options)
  if type(jobs) ~= "table" then
    errors.refuse("a gather takes a table of { job, payload }, not %s", type(jobs))
  end
  options = options or NONE
  local library, co, n = self.library, tasks.current(), #jobs
  local C, tag = library.C, library:take_tags(n)
  local given = options_for(library, co, options.timeout, abi.NO_ITEMS, tag)
  local taken, tokens, refused = self:submit_many(jobs, given, tag)
  local function abandon_all(freed)
    for i = 0, taken - 1 do
      C.palitra_token_cancel(freed[i])
      C.palitra_token_free(freed[i])
    end
  end
  if library:is_reborn(refused) then
    return self:gather(jobs, options)
  elseif refused ~= abi.OK then
    abandon_all(tokens)
    library:check(refused, jobs[taken + 1] and jobs[taken + 1][1])
  end
  ffi.gc(tokens, abandon_all)
  local flags = options.fail_fast and abi.FAIL_FAST or 0
  if co and n > 0 then
    sleep_until_told(library, co, tag, n, options.fail_fast and function(status)
      return status ~= abi.OK
    end or never)
  end
  local status = in_slices(function(slice)
    return C.palitra_runner_gather(self.handle[0], tokens, n, flags, slice, nil)
  end)
  local replies = ffi.new("palitra_reply[?]", n)
  C.palitra_runner_gather(self.handle[0], tokens, n, abi.FREE_TOKENS, 0, replies)
  ffi.gc(tokens, nil)
  local outcomes = outcomes_of(library, replies, n)
  if options.settled then
    return outcomes
  end
  raise_failure(library, outcomes, status)
  local values = {}
  for i, outcome in ipairs(outcomes) do
    values[i] = outcome.value
  end
  return values
end

-- ---- its state and its end

function Runner:is_alive()
  local C = self.library.C
  if self.is_global then
    return C.palitra_is_runner_alive()
  end
  return C.palitra_runner_is_alive(self.handle[0])
end

local FIGURES = {
  "threads", "submitted", "running", "queued", "succeeded", "failed", "panicked", "cancelled", "deadline",
}

--- How the runner is doing, as palitra_stats tells; `longest_poll` is in seconds.
function Runner:stats()
  local stats = ffi.new("palitra_stats", { size = ffi.sizeof("palitra_stats") })
  self.library:check(self.library.C.palitra_runner_stats(self:id(), stats))
  local figures = { longest_poll = tonumber(stats.longest_poll_ns) / 1e9 }
  for _, figure in ipairs(FIGURES) do
    figures[figure] = tonumber(stats[figure])
  end
  return figures
end

-- Waits until no job is in flight, or for the deadline. The library's own wait for the end of a runner cannot be cut
-- into slices: each would be a grace period, and the shortest holds.
local function wait_until_idle(self, deadline)
  -- The figures of the global runner would make one.
  while not self.is_global or self:is_alive() do
    local figures = self:stats()
    if figures.running + figures.queued == 0 or abi.now() >= deadline then
      return
    end
    ffi.C.poll(nil, 0, 5)
  end
end
jit.off(wait_until_idle)

local function finish(self, grace)
  local C = self.library.C
  if self.is_global then
    return C.palitra_shutdown_global_runner(grace)
  end
  return C.palitra_runner_shutdown(self.handle[0], grace)
end

--- Shuts the runner down; jobs in flight have `grace` seconds. false if something still blocks one of its threads.
--- Ctrl-C ends the grace period.
function Runner:shutdown(options)
  local grace = options and options.grace or 0
  local time = grace == 0 and 0 or abi.time(grace, -1, "grace")
  local deadline = time < 0 and math.huge or abi.now() + time
  local ok, failure = pcall(wait_until_idle, self, deadline)
  if not ok then
    finish(self, 0)
    error(failure, 0)
  end
  local status = finish(self, time < 0 and -1 or math.max(deadline - abi.now(), 0))
  if status == abi.PENDING then
    return false
  end
  self.library:check(status)
  return true
end

--- Frees the runner. One that is alive is shut down first.
function Runner:close()
  self.library.C.palitra_runner_free(self.handle[0])
end

return Runner
