rockspec_format = "3.0"
package = "palitra"
version = "0.2.0-1"
source = { url = "git+file://." }
description = {
  summary = "Calls async jobs of a Rust library from LuaJIT",
  license = "BSD-3-Clause",
}
dependencies = { "lua == 5.1", "lua-cjson >= 2.1" }
build = {
  type = "builtin",
  modules = {
    palitra = "palitra/init.lua",
    ["palitra.abi"] = "palitra/abi.lua",
    ["palitra.errors"] = "palitra/errors.lua",
    ["palitra.job"] = "palitra/job.lua",
    ["palitra.library"] = "palitra/library.lua",
    ["palitra.runner"] = "palitra/runner.lua",
    ["palitra.tasks"] = "palitra/tasks.lua",
  },
}
