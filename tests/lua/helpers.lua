-- What the tests share: a runner of tests that prints TAP, the library with the test jobs, and programs of their own.

local palitra = require("palitra")

local helpers = { jobs = palitra.load(os.getenv("PALITRA_LIBRARY_DIR") .. "/libpalitra_test_jobs.so") }

local failed, passed = 0, 0

--- Runs a test. It gets a function that makes runners of the test jobs, which are closed behind it.
function helpers.test(name, f)
  local runners = {}
  local function runner(options)
    runners[#runners + 1] = helpers.jobs.runner(options)
    return runners[#runners]
  end
  local ok, failure = xpcall(f, function(failure)
    return debug.traceback(tostring(failure), 2)
  end, runner)
  for _, made in ipairs(runners) do
    made:close()
  end
  passed, failed = passed + (ok and 1 or 0), failed + (ok and 0 or 1)
  print(("%s %d - %s"):format(ok and "ok" or "not ok", passed + failed, name))
  if not ok then
    print("# " .. failure:gsub("\n", "\n# "))
  end
end

--- Ends the file: its plan, how many passed, and its exit code.
function helpers.finish()
  print(("1..%d\n# pass %d"):format(passed + failed, passed))
  os.exit(failed == 0 and passed > 0 and 0 or 1)
end

function helpers.equal(got, wanted)
  if got ~= wanted then
    error(("%s, not %s"):format(tostring(got), tostring(wanted)), 2)
  end
end

--- Calls a function that must raise an error of this status, and returns the error.
function helpers.raises(status, f, ...)
  local ok, failure = pcall(f, ...)
  if ok or not palitra.is_error(failure) or failure.status ~= "PALITRA_" .. status then
    error(("%s, not PALITRA_%s"):format(tostring(failure), status), 2)
  end
  return failure
end

--- Asks until it is so, for half a minute at the most.
function helpers.till(condition)
  local deadline = os.time() + 30
  while not condition() do
    if os.time() > deadline then
      error("it never was so", 2)
    end
    palitra.run("palitra.sleep", { seconds = 0.005 })
  end
end

--- Runs a program: what it prints on both outputs, and its exit code.
function helpers.program(text)
  local file = os.tmpname()
  local written = assert(io.open(file, "w"))
  written:write(text)
  written:close()
  local pipe = io.popen(("timeout -k 2 30 luajit %s 2>&1; echo $?"):format(file))
  local output, code = pipe:read("*a"):match("^(.-)(%d+)\n$")
  pipe:close()
  os.remove(file)
  return output, tonumber(code)
end

return helpers
