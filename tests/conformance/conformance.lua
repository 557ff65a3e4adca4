-- The conformance scenarios through the LuaJIT package: carries out the steps of a file, prints what came of each.
--
-- README.md tells the format and what each verb means. Called by tests/conformance.rs, after beneath.sh:
--
--     luajit tests/conformance/conformance.lua FILE
--
-- It judges nothing and exits with 0 when it has come to the end of the file. A token is the job that `submit` returns.
-- What a program in Lua cannot do, or cannot get wrong, is done by C functions beneath, and said there.

package.path = "bindings/lua/?.lua;bindings/lua/?/init.lua;" .. package.path

local ffi = require("ffi")
local cjson = require("cjson")
local path = os.getenv("PALITRA_LIBRARY_DIR") .. "/libpalitra_test_jobs.so"
local palitra = require("palitra").load(path)
local Job = require("palitra.job")

local C = ffi.load(path)
local beneath = ffi.load("target/conformance-beneath.so")
ffi.cdef([[
void *beneath_run(uint64_t runner, const char *job, const char *payload, size_t len);
void *beneath_gather(uint64_t runner, const uint64_t *tokens, size_t n);
void beneath_join(void *thread, palitra_reply *replies);
int32_t beneath_callback(uint64_t token, uint64_t other, palitra_reply *reply);
int32_t beneath_ready(uint64_t token, palitra_reply *reply);
int32_t beneath_register(uint64_t runner, const char *job, const char *does);
const char *beneath_note(const char *job);
int32_t beneath_fork(const char *call, uint64_t handle);
]])

local FORGED = 0x0123456789abcdefULL
local FAIL_FAST = 1

-- ---- outcomes

local function name_of(status)
  return (ffi.string(C.palitra_status_name(status)):gsub("PALITRA_", ""))
end

local function trimmed(text)
  return (text:gsub(" $", ""))
end

local function outcome_of(value)
  return trimmed("OK " .. (type(value) == "string" and value or cjson.encode(value)))
end

local function failure_of(failure)
  if not palitra.is_error(failure) then
    error(failure, 0)
  end
  local status = failure.status:gsub("PALITRA_", "")
  if status == "JOB_FAILED" then
    return trimmed(("%s %d %s"):format(status, failure.code, failure.message))
  elseif status == "BAD_PAYLOAD" or status == "JOB_PANICKED" then
    return status .. " " .. failure.message
  end
  return status
end

-- What a call that fills a reply came to.
local function reply(f, ...)
  local ok, value = pcall(f, ...)
  return ok and outcome_of(value) or failure_of(value)
end

-- What a call that fills no reply came to.
local function status(f, ...)
  local ok, failure = pcall(f, ...)
  return ok and "OK" or failure_of(failure)
end

-- What C filled, which is freed: only beneath are there replies.
local function outcome_of_reply(filled)
  local text, ended = ffi.string(filled.data, filled.len), name_of(filled.status)
  if ended == "JOB_FAILED" then
    text = filled.code .. " " .. text
  elseif ended ~= "OK" and ended ~= "JOB_PANICKED" and ended ~= "BAD_PAYLOAD" then
    text = ""
  end
  C.palitra_reply_free(filled)
  return trimmed(ended .. " " .. text)
end

local function seconds(time)
  return time and tonumber(time:match("^%d+")) / (time:match("ms$") and 1000 or 1)
end

local function payload_of(word)
  return word == "-" and "" or word
end

-- ---- the verbs

local runners, tokens, threads = {}, {}, {}
local verbs = {}

function verbs.runner(name, named)
  return status(function()
    local max_in_flight, max_payload = tonumber(named.max_in_flight), tonumber(named.max_payload)
    runners[name] = palitra.runner({ max_in_flight = max_in_flight, max_payload = max_payload, config = named.config })
  end)
end

function verbs.alive(runner)
  return tostring(runners[runner]:is_alive())
end

function verbs.submit(name, runner, job, payload, named)
  return status(function()
    tokens[name] = runners[runner]:submit(job, payload_of(payload), { timeout = seconds(named.deadline) })
  end)
end

-- What `gather` submits with: no call of the package returns the jobs.
function verbs.submit_many(runner, ...)
  local words, names, jobs = { ... }, {}, {}
  for i = 1, #words - 1, 3 do
    names[#names + 1] = words[i]
    jobs[#jobs + 1] = { words[i + 1], payload_of(words[i + 2]) }
  end
  local library = runners[runner].library
  local taken, many, refused = runners[runner]:submit_many(jobs, nil, 0)
  for i = 1, taken do
    tokens[names[i]] = Job.adopt(library, ffi.new("uint64_t[1]", many[i - 1]), library:take_tags(1))
  end
  return name_of(refused) .. " " .. taken
end

function verbs.run(runner, job, payload, named)
  return reply(runners[runner].run, runners[runner], job, payload_of(payload), { timeout = seconds(named.timeout) })
end

function verbs.wait(token, time)
  return reply(tokens[token].wait, tokens[token], type(time) == "string" and seconds(time) or nil)
end

function verbs.poll(token)
  local ok, is_over, value = pcall(tokens[token].poll, tokens[token])
  if not ok then
    return failure_of(is_over)
  end
  return is_over and outcome_of(value) or "PENDING"
end

function verbs.cancel(token)
  return status(tokens[token].cancel, tokens[token])
end

local function handles_of(names)
  local handles = ffi.new("uint64_t[?]", #names)
  for i, name in ipairs(names) do
    handles[i - 1] = tokens[name].token[0]
  end
  return handles
end

-- A program gathers what it has not submitted yet.
function verbs.gather(...)
  local names, outcomes = { ... }, {}
  names[#names] = nil
  local fail_fast = names[1] == "fail_fast"
  if fail_fast then
    table.remove(names, 1)
  end
  local _, runner = next(runners)
  local replies = ffi.new("palitra_reply[?]", #names)
  C.palitra_runner_gather(runner:id(), handles_of(names), #names, fail_fast and FAIL_FAST or 0, -1, replies)
  for i = 1, #names do
    outcomes[i] = outcome_of_reply(replies[i - 1])
  end
  return table.concat(outcomes, " | ")
end

function verbs.next(token)
  local ok, item = pcall(tokens[token].next, tokens[token])
  if not ok then
    return failure_of(item)
  end
  return item and outcome_of(item) or "END"
end

function verbs.drain(token)
  local items = {}
  repeat
    local item = verbs.next(token)
    items[#items + 1] = item:gsub("^OK ", "")
  until not item:match("^OK")
  return table.concat(items, " ")
end

function verbs.progress(token)
  local ok, done, total = pcall(tokens[token].progress, tokens[token])
  return ok and ("OK %d %d"):format(done, total) or failure_of(done)
end

-- A job is freed when it is collected.
function verbs.free(name)
  if tokens[name] then
    C.palitra_token_free(tokens[name].token[0])
  else
    runners[name]:close()
  end
  return "OK"
end

-- Nobody can make a job or a runner of a number.
function verbs.forged(kind)
  if kind == "token" then
    return name_of(C.palitra_token_poll(FORGED, nil))
  end
  return name_of(C.palitra_runner_submit(FORGED, "palitra.echo", nil, 0, nil, nil))
end

function verbs.shutdown(runner, grace)
  local ok, has_ended = pcall(runners[runner].shutdown, runners[runner], { grace = seconds(grace) })
  if not ok then
    return failure_of(has_ended)
  end
  return has_ended and "OK" or "PENDING"
end

-- No function of Lua may run on another thread than its own.
function verbs.callback(token, _, other)
  local filled = ffi.new("palitra_reply")
  beneath.beneath_callback(tokens[token].token[0], tokens[other].token[0], filled)
  return outcome_of_reply(filled)
end

function verbs.ready(token)
  local filled = ffi.new("palitra_reply")
  beneath.beneath_ready(tokens[token].token[0], filled)
  return outcome_of_reply(filled)
end

-- The package registers no functions of Lua as jobs.
function verbs.register(runner, job, does)
  return name_of(beneath.beneath_register(runners[runner]:id(), job, does))
end

function verbs.note(job)
  return ffi.string(beneath.beneath_note(job))
end

-- Lua has no threads.
function verbs.thread(name, verb, ...)
  local words = { ... }
  words[#words] = nil
  if verb == "run" then
    local payload = payload_of(words[3])
    threads[name] = { begun = beneath.beneath_run(runners[words[1]]:id(), words[2], payload, #payload), n = 1 }
  else
    local _, runner = next(runners)
    threads[name] = { begun = beneath.beneath_gather(runner:id(), handles_of(words), #words), n = #words }
  end
  return "OK"
end

function verbs.join(name)
  local thread, outcomes = threads[name], {}
  local replies = ffi.new("palitra_reply[?]", thread.n)
  beneath.beneath_join(thread.begun, replies)
  for i = 1, thread.n do
    outcomes[i] = outcome_of_reply(replies[i - 1])
  end
  return table.concat(outcomes, " | ")
end

-- Lua has no fork.
function verbs.fork(call, name)
  local handle = call == "wait" and tokens[name].token[0] or call == "run" and runners[name]:id() or 0
  local ended = beneath.beneath_fork(call, handle)
  return ended < 0 and "error: signal " .. -ended or name_of(ended)
end

-- ---- the file

local function free_everything()
  for _, token in pairs(tokens) do
    C.palitra_token_free(token.token[0])
  end
  for _, runner in pairs(runners) do
    runner:close()
  end
  runners, tokens, threads = {}, {}, {}
end

local function carry_out(line)
  local words, named = {}, {}
  for word in line:gmatch("%S+") do
    words[#words + 1] = word
  end
  while words[#words]:match("^[a-z_]+=") do
    local option, value = table.remove(words):match("^([a-z_]+)=(.*)$")
    named[option] = value
  end
  words[#words + 1] = named
  local ok, outcome = pcall(verbs[words[1]], unpack(words, 2))
  return ok and outcome or "error: " .. tostring(outcome)
end

local lines = {}
for line in io.lines(arg[1]) do
  lines[#lines + 1] = line
end
local scenario, steps
for _, line in ipairs(lines) do
  local name = line:match("^scenario (%S+)")
  if name then
    free_everything()
    scenario, steps = name, 0
  elseif line ~= "" then
    steps = steps + 1
    io.write(scenario, "\t", steps, "\t", carry_out(line), "\n")
    io.flush()
  end
end
free_everything()
