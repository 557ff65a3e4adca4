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

type callback struct {
	token    *Token
	function func(*Token, Status)
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
	if t.pending.isClosed() {
		return t.error(StatusInvalidHandle)
	}
	handle := cgo.NewHandle(&callback{t, function})
	if status := C.palitra_go_on_complete(t.pending.token, C.uintptr_t(handle)); status != C.PALITRA_OK {
		return t.error(Status(status))
	}
	return nil
}

//export palitraGoComplete
func palitraGoComplete(handle C.uintptr_t, status C.palitra_status) {
	call := cgo.Handle(handle).Value().(*callback)
	leave := call.token.runner.core.callbacks.enter()
	defer leave()
	call.function(call.token, Status(status))
}

// The library calls this exactly once for each handle, whatever became of the callback.
//
//export palitraGoFreeHandle
func palitraGoFreeHandle(handle C.uintptr_t) {
	cgo.Handle(handle).Delete()
}
