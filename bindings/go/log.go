package palitra

// The library's log, for a slog.Logger.

/*
#include "native.h"
*/
import "C"

import (
	"context"
	"log/slog"
	"runtime/cgo"
)

// The levels of the library, from 1, as slog has them. Its traces are more than slog's most detailed level.
var levels = [...]slog.Level{
	C.PALITRA_LOG_ERROR: slog.LevelError,
	C.PALITRA_LOG_WARN:  slog.LevelWarn,
	C.PALITRA_LOG_INFO:  slog.LevelInfo,
	C.PALITRA_LOG_DEBUG: slog.LevelDebug,
	C.PALITRA_LOG_TRACE: slog.LevelDebug - 4,
}

// SetLogger hands the messages of the library and of its jobs to a logger, as far as it is enabled for their level now,
// with where they come from as "target". It takes the place of the one before; nil ends the logging. Any thread of the
// library may be what logs: the logger's handler must not wait for a job.
//
// SetLogger returns ErrInternal if Rust code of the library has a logger of its own.
func SetLogger(logger *slog.Logger) error {
	if logger == nil {
		return Status(C.palitra_go_log(C.PALITRA_LOG_OFF, 0)).orNil()
	}
	level := C.int32_t(C.PALITRA_LOG_OFF)
	for l := C.int32_t(C.PALITRA_LOG_ERROR); l <= C.PALITRA_LOG_TRACE; l++ {
		if logger.Enabled(context.Background(), levels[l]) {
			level = l
		}
	}
	return Status(C.palitra_go_log(level, C.uintptr_t(cgo.NewHandle(logger)))).orNil()
}

//export palitraGoLog
func palitraGoLog(level C.int32_t, target, message *C.char, handle C.uintptr_t) {
	logger := cgo.Handle(handle).Value().(*slog.Logger)
	logger.Log(context.Background(), levels[level], C.GoString(message), "target", C.GoString(target))
}
