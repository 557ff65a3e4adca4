-- One submitted job: wait for it, look at it, cancel it, read its items. A call in a coroutine of a loop lets it sleep,
-- any other call blocks.

local ffi = require("ffi")
local abi = require("palitra.abi")
local tasks = require("palitra.tasks")

local Job = {}
Job.__index = Job

--- Submits a job, which runs on if nobody holds it any more.
function Job.submit(runner, name, payload, options)
  local library = runner.library
  local data = library:encode(name, payload)
  local given = ffi.new("palitra_submit_options", { size = ffi.sizeof("palitra_submit_options") })
  given.flags, given.queue, given.tag = abi.ITEM_EVENTS, library:queue(), library:take_tags(1)
  given.deadline_ns = abi.time(options.timeout, 0)
  given.stream_items = options.stream_items or 0
  library:drain()
  local token = ffi.new("uint64_t[1]")
  local status = library.C.palitra_runner_submit(runner:id(), name, data, #data, given, token)
  if library:is_reborn(status) then
    return Job.submit(runner, name, payload, options)
  end
  library:check(status, name)
  local self = Job.adopt(library, token, tonumber(given.tag))
  -- A runner that nobody holds ends, and its jobs with it.
  self.runner = runner
  return self
end

--- A job of its token, which it frees.
function Job.adopt(library, token, tag)
  ffi.gc(token, function(freed)
    library.C.palitra_token_free(freed[0])
  end)
  local self = setmetatable({ library = library, token = token, sleepers = {} }, Job)
  library.submitted[tag] = self
  return self
end

--- Wakes the coroutines that sleep for an event of this job.
function Job:wake()
  local sleepers = self.sleepers
  self.sleepers = {}
  for _, co in ipairs(sleepers) do
    tasks.wake(co)
  end
end

function Job:sleep(co)
  self.sleepers[#self.sleepers + 1] = co
  tasks.sleep(co)
end

--- Lets the coroutine sleep until the job has finished or the seconds, if any, have passed.
function Job:sleep_until_finished(co, seconds)
  local is_over, stop = false, nil
  if seconds and seconds < math.huge then
    stop = self.library:after(seconds, function()
      is_over = true
      tasks.wake(co)
    end)
  end
  while not is_over and self.library.C.palitra_token_poll(self.token[0], nil) == abi.PENDING do
    self:sleep(co)
  end
  if stop then
    stop()
  end
end

--- Waits for the reply of the job. Past the timeout in seconds it raises PALITRA_PENDING, and the job runs on.
function Job:wait(timeout)
  local library, reply, co = self.library, ffi.new("palitra_reply"), tasks.current()
  local left = abi.time(timeout, math.huge)
  if co and timeout ~= 0 then
    self:sleep_until_finished(co, timeout)
    left = 0
  end
  local status
  repeat
    library.C.palitra_reply_free(reply)
    status = library.C.palitra_token_wait(self.token[0], math.min(left, abi.SLICE), reply)
    left = left - abi.SLICE
  until status ~= abi.PENDING or left <= 0
  return library:value(reply)
end
jit.off(Job.wait)

--- false while the job is pending; then true and its reply. A failure is raised.
function Job:poll()
  local library, reply = self.library, ffi.new("palitra_reply")
  if library.C.palitra_token_poll(self.token[0], reply) == abi.PENDING then
    library.C.palitra_reply_free(reply)
    return false
  end
  return true, library:value(reply)
end

--- Cancels the job; one that has finished is not changed.
function Job:cancel()
  self.library:check(self.library.C.palitra_token_cancel(self.token[0]))
end

--- How much is done, and how much there is to do: what the job has reported last.
function Job:progress()
  local done, total = ffi.new("uint64_t[1]"), ffi.new("uint64_t[1]")
  self.library:check(self.library.C.palitra_token_progress(self.token[0], done, total))
  return tonumber(done[0]), tonumber(total[0])
end

--- The next item of the job; nil at the end. A failure is raised after the items before it.
function Job:next()
  local library, item, co = self.library, ffi.new("palitra_reply"), tasks.current()
  while true do
    local status = library.C.palitra_token_next(self.token[0], co and 0 or abi.SLICE, item)
    if status == abi.OK or status >= abi.JOB_FAILED then
      return library:value(item)
    end
    library.C.palitra_reply_free(item)
    if status == abi.END then
      return nil
    elseif co then
      self:sleep(co)
    end
  end
end
jit.off(Job.next)

--- For `for item in job:items() do`.
function Job:items()
  return function()
    return self:next()
  end
end

return Job
