package palitra

// Token: one submitted job.

/*
#include "native.h"
*/
import "C"

import (
	"context"
	"runtime"
)

// Token is a job that was submitted. Any number of goroutines may use it at once. Close it when it is not needed any
// more; one that is forgotten is closed when the garbage collector finds it.
type Token struct {
	runner  *Runner // Keeps it from the garbage collector while someone may wait for its job.
	pending *pending
	job     string
	turn    chan struct{} // Held by the one who reads the next item.
	cleanup runtime.Cleanup
}

func newToken(r *Runner, p *pending, job string) *Token {
	t := &Token{runner: r, pending: p, job: job, turn: make(chan struct{}, 1)}
	t.cleanup = runtime.AddCleanup(t, (*pending).close, p)
	return t
}

// Job returns the name of the job.
func (t *Token) Job() string { return t.job }

// ID returns the id of the token's handle in C, for C code of the same process. It is stale once the token was
// closed; if its context can end, once the job has finished, too.
func (t *Token) ID() uint64 { return uint64(t.pending.token.id) }

// Wait waits for the job and returns what [Runner.Run] would; it may be called again. The context is the wait's alone:
// when it is done the error wraps ErrPending and the context's, and the job runs on. The reply of a job that has
// finished is returned whatever the context. Wait returns ErrInvalidHandle when the token is closed, also meanwhile,
// and ErrWouldDeadlock from a callback, unless the job has finished.
func (t *Token) Wait(ctx context.Context) (Reply, error) {
	if err := t.await(ctx); err != nil {
		return Reply{}, err
	}
	return t.Poll()
}

// await returns nil once the job has finished or the token was closed.
func (t *Token) await(ctx context.Context) error {
	if t.isOver() {
		return nil
	}
	if t.runner.core.callbacks.here() {
		if t.hasEnded() {
			return nil
		}
		return t.error(StatusWouldDeadlock)
	}
	select {
	case <-t.pending.over:
		return nil
	case <-ctx.Done():
		if t.hasEnded() {
			return nil
		}
		return &callError{t.job, StatusPending, causeOf(ctx)}
	}
}

func (t *Token) isOver() bool {
	select {
	case <-t.pending.over:
		return true
	default:
		return false
	}
}

// hasEnded is isOver for those who will not wait for the dispatcher: the library knows of the end before.
func (t *Token) hasEnded() bool {
	if t.isOver() {
		return true
	}
	if C.palitra_token_poll(t.pending.token, nil) == C.PALITRA_PENDING {
		return false
	}
	t.pending.finish()
	return true
}

// Poll returns what [Token.Wait] would and never blocks: ErrPending while the token is pending.
func (t *Token) Poll() (Reply, error) {
	defer runtime.KeepAlive(t)
	if t.pending.isClosed() {
		return Reply{}, t.error(StatusInvalidHandle)
	}
	x := exchanges.Get().(*exchange)
	defer exchanges.Put(x)
	return t.receive(x, C.palitra_go_poll(t.pending.token, &x.filled))
}

func (t *Token) receive(x *exchange, status C.palitra_status) (Reply, error) {
	reply, err := x.receive(t.job, status)
	if status == C.PALITRA_CANCELLED {
		err = t.pending.whyCancelled(t.job, t.runner.core)
	}
	return reply, err
}

// Done returns a channel that is closed once the job has finished or the token was closed, for a select.
func (t *Token) Done() <-chan struct{} { return t.pending.over }

// Cancel finishes the token with ErrCancelled and drops the job at its next await. It changes nothing if the job has
// finished, and does not close the token. It returns ErrInvalidHandle once the token was closed.
func (t *Token) Cancel() error {
	defer runtime.KeepAlive(t)
	if t.pending.isClosed() {
		return t.error(StatusInvalidHandle)
	}
	if status := t.pending.cancel(); status != C.PALITRA_OK {
		return t.error(Status(status))
	}
	return nil
}

// Progress returns how far the job is, by its own report; both are 0 before the first. It returns ErrInvalidHandle once
// the token was closed.
func (t *Token) Progress() (done, total uint64, err error) {
	defer runtime.KeepAlive(t)
	if t.pending.isClosed() {
		return 0, 0, t.error(StatusInvalidHandle)
	}
	var cDone, cTotal C.uint64_t
	if status := C.palitra_token_progress(t.pending.token, &cDone, &cTotal); status != C.PALITRA_OK {
		return 0, 0, t.error(Status(status))
	}
	return uint64(cDone), uint64(cTotal), nil
}

// Close frees the token and does not cancel: the job of a pending token runs on until it ends, its context is done or
// its deadline passes, and its reply is discarded. A job that streams ends, because nobody can read it. A wait that is
// under way returns ErrInvalidHandle. Closing again does nothing; Close always returns nil.
func (t *Token) Close() error {
	t.cleanup.Stop()
	t.pending.close()
	return nil
}

func (t *Token) error(status Status) error { return &callError{t.job, status, nil} }
