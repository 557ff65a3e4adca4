-- What palitra raises: tables with a status, a code and a message.

local ffi = require("ffi")

local JOB_FAILED = 10

local errors = {}

local Error = { __name = "palitra.error" }
Error.__index = Error

function Error:__tostring()
  if self.status == "PALITRA_JOB_FAILED" then
    return ("%s %d: %s"):format(self.status, self.code, self.message)
  end
  return ("%s: %s"):format(self.status, self.message)
end

--- The error of a status of the library C. Without a message it says what the status means.
function errors.of(C, status, code, message)
  if message == nil or message == "" and status ~= JOB_FAILED then
    message = ffi.string(C.palitra_status_message(status))
  end
  local name = ffi.string(C.palitra_status_name(status))
  return setmetatable({ status = name, code = code or 0, message = message }, Error)
end

--- Refuses an argument before it reaches a library.
function errors.refuse(message, ...)
  error(setmetatable({ status = "PALITRA_INVALID_ARGUMENT", code = 0, message = message:format(...) }, Error), 0)
end

--- Whether a value that was caught is an error of palitra.
function errors.is(value)
  return getmetatable(value) == Error
end

return errors
