package palitra

// Jobs of the program: Go functions that a runner calls whenever somebody calls the job.

/*
#include <stdlib.h>

#include "native.h"
*/
import "C"

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/cgo"
	"strings"
	"sync"
	"unsafe"
)

// Call is one call of a job of the program's. It is valid until the job's function has returned.
type Call struct {
	Payload []byte // What the job was called with.
	raw     C.palitra_call
	core    *core
	ctx     context.Context // The function's.
	cancel  context.CancelFunc
	turn    sync.Mutex    // Held by the one who sends an item.
	room    chan struct{} // Holds one when there may be room for an item; nil until somebody waits for it.
	tag     uint64        // What the dispatcher knows the room by.
}

// JobFunc is a job of the program's. Each call has a goroutine of its own. The context is cancelled when the answer is
// not needed any more: the job was cancelled, its deadline passed, its runner ends. What is returned is the reply; an
// error fails the job with its text, a [JobError] with its code and message, and a panic ends the job as panicked.
type JobFunc func(ctx context.Context, call *Call) ([]byte, error)

type registered struct {
	function JobFunc
	core     *core
}

// Register registers a job of the program's on the runner, until that has ended: whoever calls the job by its name, the
// program or another job, has the function called. It comes before a job of the library that has the same name, so a
// test can replace one.
//
// Register returns ErrInvalidArgument for a name that is empty, has a NUL, or is registered on this runner already, and
// ErrShutDown after the runner's end.
func (r *Runner) Register(name string, function JobFunc) error {
	defer runtime.KeepAlive(r)
	if function == nil || strings.IndexByte(name, 0) >= 0 {
		return &callError{name, StatusInvalidArgument, nil}
	}
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	handle := cgo.NewHandle(&registered{function, r.core})
	if status := C.palitra_go_register(r.core.handle, text, C.uintptr_t(handle)); status != C.PALITRA_OK {
		return &callError{name, Status(status), nil}
	}
	return nil
}

// Send sends an item of the job's stream. It waits while the reader has enough to read, which holds no thread, and
// returns ErrCancelled when the answer is not needed any more, and an error that is [StatusEnd] if nobody reads. Of
// several goroutines one sends at a time. In a callback Send returns ErrWouldDeadlock instead of waiting.
func (c *Call) Send(item []byte) error {
	inCallback := c.core.callbacks.here()
	if !inCallback {
		c.turn.Lock()
	} else if !c.turn.TryLock() {
		return StatusWouldDeadlock
	}
	defer c.turn.Unlock()
	status := c.trySend(item)
	if status == StatusPending && inCallback {
		status = StatusWouldDeadlock
	}
	if status == StatusPending {
		status = c.sendLater(item)
	}
	return status.orNil()
}

// trySend returns StatusPending if there is no room for the item; then there will be an event of room, if the call
// listens.
func (c *Call) trySend(item []byte) Status {
	return Status(C.palitra_go_send(c.raw, pointer(item), C.size_t(len(item))))
}

// sendLater sends an item that there was no room for. It waits in Go: in C each wait would hold a thread.
func (c *Call) sendLater(item []byte) Status {
	status := StatusPending
	if c.room == nil && c.ctx.Err() == nil {
		c.listen()
		status = c.trySend(item)
	}
	// Whatever is over, the library is asked once more: it knows how the call has ended.
	for over := false; status == StatusPending; status = c.trySend(item) {
		if over {
			return StatusCancelled
		}
		select {
		case <-c.room:
		case <-c.ctx.Done():
			over = true
		case <-c.core.ended:
			over = true
		}
	}
	return status
}

// listen has the dispatcher notified of room: not before a call waits for it, as most never do.
func (c *Call) listen() {
	c.tag, c.room = c.core.expectRoom()
	handle := cgo.NewHandle(c.cancel)
	submitting <- struct{}{}
	status := C.palitra_go_on_room(c.raw, c.core.queue, C.uint64_t(c.tag), C.uintptr_t(handle))
	<-submitting
	if status == C.PALITRA_CANCELLED {
		c.cancel()
	}
}

// end ends what the call has in Go. Nobody listens from now on.
func (c *Call) end() {
	c.cancel()
	c.turn.Lock()
	defer c.turn.Unlock()
	if c.room != nil {
		c.core.forgetRoom(c.tag)
	}
}

// Progress says how much of how much is done.
func (c *Call) Progress(done, total uint64) {
	C.palitra_call_progress(c.raw, C.uint64_t(done), C.uint64_t(total))
}

// The runner's thread calls this, and goes on: the function has a goroutine.
//
//export palitraGoCall
func palitraGoCall(handle C.uintptr_t, call C.palitra_call, data unsafe.Pointer, size C.size_t) {
	job := cgo.Handle(handle).Value().(*registered)
	c := &Call{Payload: bytes.Clone(unsafe.Slice((*byte)(data), size)), raw: call, core: job.core}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	C.palitra_go_on_cancel(call, C.uintptr_t(cgo.NewHandle(c.cancel)))
	go c.run(job.function)
}

//export palitraGoCancel
func palitraGoCancel(handle C.uintptr_t) {
	cgo.Handle(handle).Value().(context.CancelFunc)()
}

func (c *Call) run(function JobFunc) {
	defer C.palitra_call_free(c.raw)
	defer c.end()
	defer func() {
		if panicked := recover(); panicked != nil {
			c.fail(C.PALITRA_JOB_PANICKED, 0, fmt.Sprint(panicked))
		}
	}()
	reply, err := function(c.ctx, c)
	var failed *JobError
	switch {
	case err == nil:
		if c.complete(C.PALITRA_OK, 0, reply) == StatusTooLarge {
			c.fail(C.PALITRA_JOB_FAILED, 0, fmt.Sprintf("no memory holds the reply of %d bytes", len(reply)))
		}
	case errors.As(err, &failed):
		c.fail(C.PALITRA_JOB_FAILED, failed.Code, failed.Message)
	default:
		c.fail(C.PALITRA_JOB_FAILED, 0, err.Error())
	}
}

// The library takes a message in UTF-8 alone, and a text of Go's may be anything: a name of a file.
func (c *Call) fail(status C.palitra_status, code int32, message string) {
	c.complete(status, code, []byte(strings.ToValidUTF8(message, "\uFFFD")))
}

func (c *Call) complete(status C.palitra_status, code int32, data []byte) Status {
	return Status(C.palitra_go_complete(c.raw, status, C.int32_t(code), pointer(data), C.size_t(len(data))))
}
