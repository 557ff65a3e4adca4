-- The end of a process with jobs in flight, Ctrl-C, a forked child, and the program of the README.

local helpers = require("helpers")
local test, equal = helpers.test, helpers.equal

local start = [[
  local palitra = require("palitra")
  local ffi = require("ffi")
  ffi.cdef("int fork(void); int waitpid(int, int *, int); void _exit(int);")
  local never = { "palitra.sleep", { seconds = 3600 } }
]]

local function ends(text, wanted, wanted_code)
  local output, code = helpers.program(start .. text)
  equal(output, wanted)
  equal(code, wanted_code)
end

test("a process may end with jobs in flight", function()
  ends("palitra.submit(unpack(never)) stream = palitra.stream(unpack(never))", "", 0)
  ends("job = palitra.submit(unpack(never)) os.exit(3)", "", 3)
  ends("runner = palitra.runner() job = runner:submit(unpack(never)) os.exit(4, true)", "", 4)
  ends("palitra.spawn(function() palitra.run(unpack(never)) end) os.exit(5)", "", 5)
end)

test("Ctrl-C ends a program that waits", function()
  for _, wait in ipairs({
    "palitra.run(unpack(never))",
    "palitra.gather({ never, never })",
    "palitra.submit(unpack(never)):wait()",
    "palitra.submit(unpack(never)):next()",
    "palitra.loop(palitra.run, unpack(never))",
    "job = palitra.submit(unpack(never)) palitra.shutdown_global_runner({ grace = 3600 })",
    "runner = palitra.runner() job = runner:submit(unpack(never)) runner:shutdown({ grace = math.huge })",
  }) do
    local interrupt = 'os.execute("(sleep 0.3; kill -INT " .. ffi.C.getpid() .. ") &") '
    local output, code = helpers.program(start .. interrupt .. wait)
    equal(output:match("interrupted!"), "interrupted!")
    equal(code, 1)
  end
end)

test("a forked child has a runner of its own, and its parent's refuse", function()
  ends([[
    local runner = palitra.runner()
    local job = runner:submit("palitra.echo", "x")
    palitra.loop(palitra.run, "palitra.sleep", { seconds = 0.01 })
    local child = ffi.C.fork()
    if child == 0 then
      print(select(2, pcall(runner.run, runner, "palitra.echo")).status, select(2, pcall(job.wait, job)).status)
      io.stdout:flush()
      local sleep = { "palitra.sleep", { seconds = 0.01 } }
      for _, wait in ipairs({
        function() return palitra.run(unpack(sleep)).seconds end,
        function() return palitra.gather({ sleep })[1].seconds end,
        function() return palitra.submit(unpack(sleep)):wait().seconds end,
        function() return palitra.fd() >= 0 end,
      }) do
        local other = ffi.C.fork()
        if other == 0 then
          print(wait(), palitra.loop(wait))
          io.stdout:flush()
          ffi.C._exit(0)
        end
        ffi.C.waitpid(other, nil, 0)
      end
      io.stdout:flush()
      ffi.C._exit(0)
    end
    ffi.C.waitpid(child, nil, 0)
    print(runner:run("palitra.echo", "parent"), job:wait())
  ]], "PALITRA_FORKED\tPALITRA_FORKED\n0.01\t0.01\n0.01\t0.01\n0.01\t0.01\ntrue\ttrue\nparent\tx\n", 0)
end)

test("a forked child's loops serve every library that its parent's served", function()
  ends([[
    local jobs = palitra.load(os.getenv("PALITRA_LIBRARY_DIR") .. "/libpalitra_test_jobs.so")
    local unused = palitra.load(os.getenv("PALITRA_LIBRARY_DIR") .. "/libexample_jobs.so")
    local function sleep(library)
      return library.run("palitra.sleep", { seconds = 0.01 }).seconds
    end
    for _, library in ipairs({ jobs, palitra }) do
      library.loop(sleep, library)
    end
    for _, libraries in ipairs({ { palitra, jobs }, { jobs, palitra }, { unused, jobs, palitra } }) do
      local child = ffi.C.fork()
      if child == 0 then
        for _, library in ipairs(libraries) do
          print(pcall(library.loop, sleep, library))
        end
        io.stdout:flush()
        ffi.C._exit(0)
      end
      ffi.C.waitpid(child, nil, 0)
    end
  ]], ("true\t0.01\n"):rep(7), 0)
end)

test("an error that nobody catches says what it is", function()
  local output, code = helpers.program(start .. 'palitra.run("palitra.eko")')
  equal(output:match("PALITRA_UNKNOWN_JOB: .-nearest is \"palitra.echo\"") ~= nil, true)
  equal(code, 1)
end)

test("the README's first program runs as it stands", function()
  local readme = assert(io.open("bindings/lua/README.md")):read("*a")
  local text, printed = readme:match("```lua\n(.-)```"), readme:match("```text\n(.-)```")
  local output, code = helpers.program(text)
  equal(output, printed)
  equal(code, 0)
end)

helpers.finish()
