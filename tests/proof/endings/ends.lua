-- See tests/proof/endings.py.
local ffi = require("ffi")
local palitra = require("palitra")

ffi.cdef("int fork(void); int waitpid(int pid, int *status, int options);")

local function use_and_leave()
  local kept = {}
  for i = 1, 8 do
    kept[i] = palitra.submit("palitra.sleep", { seconds = 100 })
  end
  assert(palitra.run("palitra.echo", "hello") == "hello", "no echo")
  return kept
end

local kept = use_and_leave()
for _ = 1, arg[1] == "forks" and tonumber(arg[2]) or 0 do
  local pid = ffi.C.fork()
  if pid == 0 then
    kept = use_and_leave()
    os.exit(7, true)
  end
  local status = ffi.new("int[1]")
  assert(ffi.C.waitpid(pid, status, 0) == pid)
  assert(status[0] == 7 * 256, "a child ended with " .. status[0])
end
assert(#kept == 8)
os.exit(7, true)
