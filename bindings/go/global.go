package palitra

// The global runner: one for the process, shared with every other user of the same library, in whatever language.

/*
#include "native.h"
*/
import "C"

import (
	"context"
	"sync"
)

var global struct {
	sync.Mutex
	runner *Runner
}

// Global returns the runner that the whole process shares, made now if there is none or the last one was shut down.
// Nobody needs to close it, and closing it does nothing, as others use it, too: [ShutdownGlobalRunner] and
// [Runner.Shutdown] end it.
func Global() (*Runner, error) {
	global.Lock()
	defer global.Unlock()
	var handle C.palitra_runner
	if status := C.palitra_runner_global(&handle); status != C.PALITRA_OK {
		return nil, Status(status)
	}
	if old := global.runner; old != nil {
		if old.core.handle == handle {
			return old, nil
		}
		// Shut down, perhaps by someone else in the process: whoever waits for its jobs is woken.
		go old.core.close()
	}
	c, err := newCore(handle, false)
	if err != nil {
		return nil, err
	}
	global.runner = &Runner{core: c}
	return global.runner, nil
}

// IsRunnerAlive returns whether there is a global runner that accepts work. It makes none.
func IsRunnerAlive() bool { return bool(C.palitra_is_runner_alive()) }

// ShutdownGlobalRunner shuts the global runner down as [Runner.Shutdown] does, and returns nil if there is none. The
// next use of [Global] makes a new one.
func ShutdownGlobalRunner(ctx context.Context) error {
	if !IsRunnerAlive() {
		return nil
	}
	r, err := Global()
	if err != nil {
		return err
	}
	return r.Shutdown(ctx)
}
