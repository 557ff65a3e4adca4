-- A library built on palitra: its jobs, its JSON, and the queue whose events wake who waits for them.

local cjson = require("cjson").new()
local ffi = require("ffi")
local abi = require("palitra.abi")
local errors = require("palitra.errors")
local tasks = require("palitra.tasks")

local formats = { [0] = "bytes", "text", "json" }

local Library = {}
Library.__index = Library

local function open(path)
  local ok, C = pcall(ffi.load, path)
  if not ok then
    errors.refuse("%s cannot be loaded: %s", path, C)
  end
  local is_palitra, version = pcall(function()
    return C.palitra_abi_version()
  end)
  if not is_palitra then
    errors.refuse("%s is not a library of palitra", path)
  elseif version ~= abi.VERSION then
    errors.refuse("%s has the ABI %d of palitra; this package needs %d", path, version, abi.VERSION)
  end
  return C
end

function Library.open(path)
  local self = setmetatable({ C = open(path), inputs = {}, tags = 0 }, Library)
  for _, job in ipairs(self:jobs()) do
    self.inputs[job.name] = job.input
  end
  self.reply = ffi.new("palitra_reply")
  self.token = ffi.new("uint64_t[1]")
  return self
end

function Library:jobs()
  local jobs, info = {}, ffi.new("palitra_job_info")
  for i = 0, tonumber(self.C.palitra_job_count()) - 1 do
    self.C.palitra_job_at(i, info)
    local name, doc = ffi.string(info.name), ffi.string(info.doc)
    jobs[#jobs + 1] = { name = name, doc = doc, input = formats[info.input], output = formats[info.output] }
  end
  return jobs
end

-- ---- payloads and replies

local function json_of(value, what)
  local ok, text = pcall(cjson.encode, value)
  if not ok then
    errors.refuse("%s has no JSON: %s", what, text)
  end
  return text
end

--- What a library or a runner is configured by, as JSON; nil for nil.
function Library.configuration(config)
  if config == nil or type(config) == "string" then
    return config
  end
  return json_of(config, "the configuration")
end

--- The payload of a job. A string is any job's payload as it stands.
function Library:encode(job, payload)
  local input = self.inputs[job]
  if input == nil then
    if type(job) ~= "string" then
      errors.refuse("the name of a job is a string, not %s", type(job))
    elseif job:find("\0", 1, true) then
      errors.refuse("the name of a job contains a NUL")
    end
  end
  if type(payload) == "string" then
    return payload
  elseif payload == nil then
    return ""
  elseif input == "bytes" or input == "text" then
    errors.refuse("the payload of %s is a string, not %s", job, type(payload))
  end
  return json_of(payload, "the payload of " .. job)
end

--- What a call filled, which is freed: true and its value, or false and an error.
function Library:outcome(reply)
  local status, code, format = reply.status, reply.code, reply.format
  local data = ffi.string(reply.data, reply.len)
  self.C.palitra_reply_free(reply)
  if status ~= abi.OK then
    return false, errors.of(self.C, status, code, data)
  elseif format == abi.JSON then
    return true, cjson.decode(data)
  end
  return true, data
end

--- The value that a call filled; a failure is raised.
function Library:value(reply)
  local ok, value = self:outcome(reply)
  if not ok then
    error(value, 0)
  end
  return value
end

--- Raises a status that is none of success. `job` is what was submitted.
function Library:check(status, job)
  if status == abi.OK then
    return
  end
  local message
  if status == abi.UNKNOWN_JOB then
    local nearest = self.C.palitra_job_nearest(job)
    local hint = nearest ~= nil and ('; the nearest is "%s"'):format(ffi.string(nearest)) or ""
    message = ('no job is registered as "%s"%s'):format(job, hint)
  end
  error(errors.of(self.C, status, 0, message), 0)
end

-- ---- events

--- The queue of this library, made at the first use.
function Library:queue()
  if self.pid == nil then
    self.events, self.taken = ffi.new("palitra_event[64]"), ffi.new("size_t[1]")
    self:make_queue()
    tasks.add(self)
  end
  return self.events_queue
end

function Library:make_queue()
  tasks.enter_process()
  local out = ffi.new("uint64_t[1]")
  self:check(self.C.palitra_queue_new(out))
  self.events_queue, self.pid = out[0], ffi.C.getpid()
  -- Who is notified of an event, by the tag of its job. A job that nobody holds is notified of nothing.
  self.waiting, self.submitted = {}, setmetatable({}, { __mode = "v" })
end

--- Whether a call was refused because its queue was that of the parent process: there is a new one, try again.
function Library:is_reborn(status)
  if status ~= abi.FORKED or self.pid == nil or self.pid == ffi.C.getpid() then
    return false
  end
  self:make_queue()
  return true
end

function Library:fd()
  local fd = self.C.palitra_queue_fd(self:queue())
  if fd < 0 and self:is_reborn(abi.FORKED) then
    fd = self:fd()
  end
  return fd
end

--- Takes the tags of n jobs that are about to be submitted.
function Library:take_tags(n)
  local first = self.tags
  self.tags = first + n
  return first
end

--- Tells those who wait of every event that has come.
function Library:take_events()
  local queue, events = self:queue(), self.events
  while self.C.palitra_queue_next(queue, 0, events, 64, self.taken) == abi.OK do
    for i = 0, tonumber(self.taken[0]) - 1 do
      local tag, status = tonumber(events[i].tag), events[i].status
      local tell = self.waiting[tag]
      if tell then
        tell(status)
      elseif self.submitted[tag] then
        self.submitted[tag]:wake()
      end
      if status ~= abi.PENDING then
        self.waiting[tag], self.submitted[tag] = nil, nil
      end
    end
  end
end

--- Has a function told after some seconds, by a job that sleeps. Returns what ends it.
function Library:after(seconds, tell)
  local runner, token, tag = ffi.new("uint64_t[1]"), ffi.new("uint64_t[1]"), self:take_tags(1)
  local data = ('{"seconds":%.9f}'):format(seconds)
  local options = ffi.new("palitra_submit_options", { size = ffi.sizeof("palitra_submit_options"), tag = tag })
  options.queue, options.flags = self:queue(), abi.NO_ITEMS
  self:check(self.C.palitra_runner_global(runner))
  self:check(self.C.palitra_runner_submit(runner[0], "palitra.sleep", data, #data, options, token))
  self.waiting[tag] = tell
  return function()
    self.waiting[tag] = nil
    self.C.palitra_token_cancel(token[0])
    self.C.palitra_token_free(token[0])
  end
end

--- The events of jobs that were submitted where nothing sleeps would heap up.
function Library:drain()
  if not tasks.are_asleep() then
    self:take_events()
  end
end

return Library
