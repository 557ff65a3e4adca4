package palitra

// Runner: the persistent runtime thread that jobs are submitted to.

/*
#include "native.h"
*/
import "C"

import (
	"context"
	"fmt"
	"runtime"
	"time"
	"unsafe"
)

// Runner is a persistent runtime thread that jobs are submitted to. Any number of goroutines may use it at once.
// [Runner.Close] ends it; one that is forgotten is closed when the garbage collector finds it, which it does not
// while a goroutine uses the runner or one of its tokens.
type Runner struct {
	core    *core
	cleanup runtime.Cleanup
}

// New makes a runner. It returns ErrInvalidArgument for invalid options, ErrInternal if the system refuses a thread.
func New(opts ...Option) (*Runner, error) {
	var o runnerOptions
	for _, opt := range opts {
		opt(&o)
	}
	handle, err := newRunnerHandle(&o)
	if err != nil {
		return nil, err
	}
	c, err := newCore(handle, true)
	if err != nil {
		return nil, err
	}
	r := &Runner{core: c}
	// Closing waits for the runner's thread, and other cleanups must not wait for that.
	r.cleanup = runtime.AddCleanup(r, func(c *core) { go c.close() }, c)
	return r, nil
}

// Run runs a job to its end and returns its reply. The error is a [*JobError], a [*PanicError], ErrCancelled or
// ErrDeadline if the job did not succeed; ErrUnknownJob, ErrBusy, ErrTooLarge, ErrShutDown, ErrInvalidHandle after
// [Runner.Close] or ErrWouldDeadlock from a callback if it was not run. The payload is copied before the job starts.
//
// When the context is done the job is cancelled and the error wraps the context's; under one that is done already the
// job never starts. The calling thread polls the job inline, once, so that a job that is ready at once needs no other
// thread; unless as many goroutines as there are processors are doing just that. Under a context that may be done one
// day, unlike [context.Background], and with a deadline it does so only for an inline job, one whose author declares
// that its first poll never blocks, such as palitra.echo: any other starts on the runner's thread, so that a job that
// never yields cannot outlast the context. A job that is ready at its inline poll returns its reply, even if the context
// is done meanwhile.
func (r *Runner) Run(ctx context.Context, job string, payload []byte, opts ...SubmitOption) (Reply, error) {
	c := r.core
	defer runtime.KeepAlive(r)
	if c.callbacks.here() {
		return Reply{}, &callError{job, StatusWouldDeadlock, nil}
	}
	if ctx.Err() != nil {
		return Reply{}, endedBy(job, causeOf(ctx))
	}
	o := chosen(opts)
	flags := C.uint32_t(C.PALITRA_NO_ITEMS)
	if ctx.Done() != nil || o.deadline != 0 {
		flags |= C.PALITRA_INLINE_ONLY
	}
	if starting.take() {
		reply, p, err := c.start(job, payload, flags, o)
		starting.leave()
		if p == nil {
			return reply, err
		}
		return c.wait(ctx, job, p)
	}
	p, err := r.submit(ctx, job, payload, C.PALITRA_NO_ITEMS, o)
	if err != nil {
		return Reply{}, err
	}
	return c.wait(ctx, job, p)
}

// start polls a job inline, if the flags allow that. It returns the job's reply or error, or what will be notified when
// the job finishes.
func (c *core) start(job string, payload []byte, flags C.uint32_t, o submitOptions) (Reply, *pending, error) {
	x := exchanges.Get().(*exchange)
	defer exchanges.Put(x)
	name := x.cName(job)
	if name == nil {
		return Reply{}, nil, &callError{job, StatusUnknownJob, nil}
	}
	tag := c.newTag()
	status := C.palitra_go_start(c.handle, name, pointer(payload), C.size_t(len(payload)), c.queue, C.uint64_t(tag),
		flags, C.int64_t(o.deadline), C.uint32_t(o.streamItems), &x.filled)
	if status != C.PALITRA_PENDING {
		reply, err := x.receive(job, status)
		return reply, nil, err
	}
	p := &pending{token: C.palitra_token{id: x.filled.token}, over: make(chan struct{})}
	c.expect(tag, p)
	return Reply{}, p, nil
}

// wait waits for a job that only this call knows, cancels it when the context is done, and frees its token.
func (c *core) wait(ctx context.Context, job string, p *pending) (Reply, error) {
	select {
	case <-p.over:
	case <-ctx.Done():
		p.mu.Lock()
		p.cause = causeOf(ctx)
		p.mu.Unlock()
		C.palitra_token_cancel(p.token)
	}
	reply, status, err := take(job, p.token)
	if status == C.PALITRA_CANCELLED {
		err = p.whyCancelled(job, c)
	}
	return reply, err
}

// Submit submits a job and returns at once. The errors are those of [Runner.Run] for a job that was not run. The
// payload is copied.
//
// The context is the job's: when it is done the job is cancelled, whether or not anyone waits. Close the token when
// it is not needed any more.
func (r *Runner) Submit(ctx context.Context, job string, payload []byte, opts ...SubmitOption) (*Token, error) {
	p, err := r.submit(ctx, job, payload, C.PALITRA_ITEM_EVENTS, chosen(opts))
	if err != nil {
		return nil, err
	}
	p.bind(ctx)
	return newToken(r, p, job), nil
}

func (r *Runner) submit(
	ctx context.Context, job string, payload []byte, flags C.uint32_t, o submitOptions,
) (*pending, error) {
	defer runtime.KeepAlive(r)
	if ctx.Err() != nil {
		return nil, endedBy(job, causeOf(ctx))
	}
	x := exchanges.Get().(*exchange)
	defer exchanges.Put(x)
	name := x.cName(job)
	if name == nil {
		return nil, &callError{job, StatusUnknownJob, nil}
	}
	c := r.core
	p := &pending{over: make(chan struct{})}
	if flags&C.PALITRA_ITEM_EVENTS != 0 {
		p.items = make(chan struct{}, 1)
	}
	tag := c.newTag()
	c.expect(tag, p)
	submitting <- struct{}{}
	status := C.palitra_go_submit(c.handle, name, pointer(payload), C.size_t(len(payload)), c.queue, C.uint64_t(tag),
		flags, C.int64_t(o.deadline), C.uint32_t(o.streamItems), &p.token)
	<-submitting
	if status != C.PALITRA_OK {
		c.forget(tag)
		return nil, &callError{job, Status(status), nil}
	}
	return p, nil
}

// ID returns the id of the runner's handle in C, for C code of the same process.
func (r *Runner) ID() uint64 { return uint64(r.core.handle.id) }

// IsAlive returns whether the runner accepts work. It does not after [Runner.Shutdown] or [Runner.Close].
func (r *Runner) IsAlive() bool {
	defer runtime.KeepAlive(r)
	return bool(C.palitra_runner_is_alive(r.core.handle))
}

// Shutdown refuses new work, lets the jobs in flight finish until the context is done, cancels the rest and ends the
// runner's threads. A context that is done already means a grace period of 0. Everyone who waits is woken, and replies
// stay readable until [Runner.Close].
//
// Shutdown returns nil if the runner has ended and every job with it by itself, and the context's error if jobs were
// cancelled because the context was done: the runner has ended then, too. It returns ErrPending, with the context's
// error, if a job that never yields blocked its thread for a second beyond that: every token has finished, and the
// thread is left behind. It returns ErrWouldDeadlock from a callback and ErrInvalidHandle after Close. It may be called
// again, and by several goroutines at once.
func (r *Runner) Shutdown(ctx context.Context) error {
	defer runtime.KeepAlive(r)
	c := r.core
	if c.callbacks.here() {
		return ErrWouldDeadlock
	}
	if ctx.Err() == nil {
		// One thread waits for the end of the grace period; a second call can only shorten it.
		ended := make(chan Status, 1)
		go func() { ended <- c.shutdown(C.PALITRA_FOREVER) }()
		select {
		case status := <-ended:
			return status.orNil()
		case <-ctx.Done():
		}
	}
	before, _ := r.Stats()
	status := c.shutdown(0)
	after, _ := r.Stats()
	switch {
	case status == StatusPending:
		return fmt.Errorf("%w: %w", status, ctx.Err())
	case status == StatusOK && after.Cancelled > before.Cancelled:
		return ctx.Err()
	}
	return status.orNil()
}

// Close ends the runner at once, cancels what is in flight, and frees it: every later call returns ErrInvalidHandle.
// Tokens stay readable until they are closed. Closing again does nothing and returns the same. From a callback it
// returns at once and the runner ends by itself. Closing the [Global] runner does nothing: others use it, too.
//
// Close returns ErrPending if a job that never yields blocked its thread for a second; the thread is left behind.
func (r *Runner) Close() error {
	if !r.core.owned {
		return nil
	}
	r.cleanup.Stop()
	return r.core.close()
}

// Stats are the figures of a runner.
type Stats struct {
	Threads     int           // The runner's own thread and its workers.
	Submitted   uint64        // Jobs that the runner ever accepted.
	Running     uint64        // Jobs that have started and not ended.
	Queued      uint64        // Jobs that have not started.
	Succeeded   uint64        // Jobs that succeeded.
	Failed      uint64        // Jobs that failed with an error of their own, or whose payload did not fit.
	Panicked    uint64        // Jobs that panicked.
	Cancelled   uint64        // Jobs that were dropped after they were cancelled.
	Deadline    uint64        // Jobs that were dropped after their deadline.
	LongestPoll time.Duration // The longest time that a job blocked a thread, from one await to the next.
}

// Stats reads the runner's figures, also after [Runner.Shutdown]. It returns ErrInvalidHandle after [Runner.Close].
func (r *Runner) Stats() (Stats, error) {
	defer runtime.KeepAlive(r)
	var s C.palitra_stats
	s.size = C.uint32_t(unsafe.Sizeof(s))
	if status := C.palitra_runner_stats(r.core.handle, &s); status != C.PALITRA_OK {
		return Stats{}, Status(status)
	}
	return Stats{
		Threads:     int(s.threads),
		Submitted:   uint64(s.submitted),
		Running:     uint64(s.running),
		Queued:      uint64(s.queued),
		Succeeded:   uint64(s.succeeded),
		Failed:      uint64(s.failed),
		Panicked:    uint64(s.panicked),
		Cancelled:   uint64(s.cancelled),
		Deadline:    uint64(s.deadline),
		LongestPoll: time.Duration(s.longest_poll_ns),
	}, nil
}

func pointer(bytes []byte) *C.uint8_t {
	return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(bytes)))
}
