package palitra

// What a Runner and the cleanup of a forgotten Runner share: the C handle, its dispatcher, and its end. It has no
// reference to the Runner, so that the garbage collector can find one that was forgotten.

/*
#include <stdlib.h>
#include "native.h"
*/
import "C"

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// However many goroutines come at once, no more than these are in C at a time: Go starts a thread for each that stays
// there longer than a few microseconds.
var (
	// Places for those that poll a job inline, which may take as long as the job takes to its first await.
	starting = places{limit: int32(runtime.GOMAXPROCS(0))}
	// Places for those that submit a job, or have a call listen for room, which never blocks.
	submitting = make(chan struct{}, runtime.GOMAXPROCS(0))
)

type places struct {
	limit int32
	taken atomic.Int32
}

// take returns whether there was a place. If so, leave releases it.
func (p *places) take() bool {
	if p.taken.Add(1) <= p.limit {
		return true
	}
	p.taken.Add(-1)
	return false
}

func (p *places) leave() { p.taken.Add(-1) }

type core struct {
	handle C.palitra_runner
	owned  bool // The global runner's handle belongs to the library.
	*dispatcher
	callbacks callbackThreads
	stopped   sync.Once
	closed    sync.Once
	closing   error
}

// newCore makes the core of a handle, which belongs to it from now on if it is owned.
func newCore(handle C.palitra_runner, owned bool) (*core, error) {
	d, err := newDispatcher()
	if err != nil {
		if owned {
			C.palitra_runner_free(handle)
		}
		return nil, err
	}
	return &core{handle: handle, owned: owned, dispatcher: d}, nil
}

func newRunnerHandle(o *runnerOptions) (C.palitra_runner, error) {
	var options C.palitra_runner_options
	var handle C.palitra_runner
	if !o.valid() || strings.IndexByte(o.threadName, 0) >= 0 {
		return handle, ErrInvalidArgument
	}
	if o.configError != nil {
		return handle, o.configError
	}
	C.palitra_go_runner_options(&options)
	options.worker_threads = C.uint32_t(o.workers)
	options.max_blocking_threads = C.uint32_t(o.blockingThreads)
	options.thread_stack_size = C.size_t(o.stackSize)
	options.max_in_flight = C.size_t(o.maxInFlight)
	options.max_payload = C.size_t(o.maxPayload)
	options.spin_limit_ns = C.int64_t(o.spinLimit)
	if o.threadName != "" {
		name := C.CString(o.threadName)
		defer C.free(unsafe.Pointer(name))
		options.thread_name = name
	}
	if o.config != "" {
		config := C.CString(o.config)
		defer C.free(unsafe.Pointer(config))
		options.config = config
	}
	if status := C.palitra_runner_new(&options, &handle); status != C.PALITRA_OK {
		return handle, Status(status)
	}
	return handle, nil
}

// shutdown ends the runner, waits for it, and wakes everyone who waits.
func (c *core) shutdown(grace C.int64_t) Status {
	status := Status(C.palitra_runner_shutdown(c.handle, grace))
	if status == StatusOK || status == StatusPending {
		c.stopped.Do(c.dispatcher.stop)
	}
	return status
}

// close ends the runner with a grace period of 0 and frees it. Idempotent; all callers wait for the first.
func (c *core) close() error {
	if c.callbacks.here() {
		// A callback cannot wait for the thread that it runs on: the runner ends by itself.
		go c.close()
		return nil
	}
	c.closed.Do(func() {
		if status := c.shutdown(0); status != StatusOK {
			c.closing = status
			// Whoever ended a global runner before may have freed its handle, too.
			c.stopped.Do(c.dispatcher.stop)
		}
		c.dispatcher.free()
		if c.owned {
			C.palitra_runner_free(c.handle)
		}
	})
	return c.closing
}

// callbackThreads are the threads that are in a callback of the runner now: they must not wait for it. A callback's
// goroutine stays on the runner's thread until it returns.
type callbackThreads struct {
	active  atomic.Int32
	threads sync.Map // palitra_go_thread to nothing.
}

// enter adds this thread and returns the function that removes it.
func (c *callbackThreads) enter() func() {
	thread := C.palitra_go_thread()
	c.threads.Store(thread, nil)
	c.active.Add(1)
	return func() {
		c.active.Add(-1)
		c.threads.Delete(thread)
	}
}

// here returns whether this goroutine is in a callback.
func (c *callbackThreads) here() bool {
	if c.active.Load() == 0 {
		return false
	}
	_, found := c.threads.Load(C.palitra_go_thread())
	return found
}
