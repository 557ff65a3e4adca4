package palitra

// Functions that the runner's thread calls when a job finishes.

/*
#include "native.h"
*/
import "C"

import (
	"runtime"
	"runtime/cgo"
)

// callback is a function and its token; both nil once the pending token was closed. The pending's mutex guards them.
type callback struct {
	pending  *pending
	token    *Token
	function func(*Token, Status)
}

func (c *callback) take() (*Token, func(*Token, Status)) {
	c.pending.mu.Lock()
	defer c.pending.mu.Unlock()
	return c.token, c.function
}

// OnComplete registers a function that is called once with the job's status when the job finishes, or soon if it has
// finished. It is called on the runner's own thread and blocks every job while it runs. It may call everything that
// does not wait; what would wait for this runner returns ErrWouldDeadlock. Start a goroutine for more. No function is
// called after [Runner.Shutdown] has returned, nor after a pending token was closed.
//
// OnComplete returns ErrShutDown after the runner's end, and ErrInvalidHandle once the token was closed: then the
// function is not called.
func (t *Token) OnComplete(function func(t *Token, status Status)) error {
	defer runtime.KeepAlive(t)
	if function == nil {
		return t.error(StatusInvalidArgument)
	}
	c := &callback{t.pending, t, function}
	if !t.pending.register(c) {
		return t.error(StatusInvalidHandle)
	}
	handle := cgo.NewHandle(c)
	if status := C.palitra_go_on_complete(t.pending.token, C.uintptr_t(handle)); status != C.PALITRA_OK {
		return t.error(Status(status))
	}
	return nil
}

//export palitraGoComplete
func palitraGoComplete(handle C.uintptr_t, status C.palitra_status) {
	call := cgo.Handle(handle).Value().(*callback)
	token, function := call.take()
	if function == nil {
		return
	}
	// Nothing that the function does with this token has to wait: the dispatcher may not know of the end yet.
	call.pending.finish()
	leave := token.runner.core.callbacks.enter()
	defer leave()
	function(token, call.pending.statusOf(status))
}

// The library calls this exactly once for each handle, whatever became of the callback.
//
//export palitraGoFreeHandle
func palitraGoFreeHandle(handle C.uintptr_t) {
	cgo.Handle(handle).Delete()
}
