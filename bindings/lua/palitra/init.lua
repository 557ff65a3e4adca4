-- palitra for LuaJIT: README.md says what there is. The functions use the global runner of the library.

local errors = require("palitra.errors")
local tasks = require("palitra.tasks")
local Library = require("palitra.library")
local Runner = require("palitra.runner")

local ffi = require("ffi")

local function package_of(library)
  local global = Runner.global(library)
  local palitra = { is_error = errors.is, loop = tasks.loop, spawn = tasks.spawn }

  for _, call in ipairs({ "run", "submit", "stream", "gather" }) do
    palitra[call] = function(...)
      return global[call](global, ...)
    end
  end

  function palitra.runner(options)
    return Runner.new(library, options)
  end

  function palitra.jobs()
    return library:jobs()
  end

  function palitra.version()
    return ffi.string(library.C.palitra_version())
  end

  --- Configures the runners that are made from now on: a table, or JSON.
  function palitra.configure(config)
    library:check(library.C.palitra_configure(Library.configuration(config)))
  end

  function palitra.is_runner_alive()
    return global:is_alive()
  end

  --- Shuts the global runner down as `runner:shutdown` does; the next call makes a new one.
  function palitra.shutdown_global_runner(options)
    return global:shutdown(options)
  end

  --- For an event loop of the program: when this descriptor is readable it calls `dispatch`, which wakes coroutines.
  function palitra.fd()
    return library:fd()
  end

  function palitra.dispatch()
    library:take_events()
    tasks.resume()
  end

  return palitra
end

local loaded = {}

--- The same functions over another library of jobs. The same path is the same library.
local function load(path)
  loaded[path] = loaded[path] or package_of(Library.open(path))
  return loaded[path]
end

-- The library that comes with palitra is opened at the first use of one of its functions.
return setmetatable({ load = load }, {
  __index = function(palitra, name)
    local path = os.getenv("PALITRA_LIBRARY")
    local shipped = load(path and path ~= "" and path or "libpalitra.so.1")
    for call, f in pairs(shipped) do
      palitra[call] = f
    end
    return shipped[name]
  end,
})
