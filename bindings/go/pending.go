package palitra

// The part of a submitted job that the dispatcher and those who wait share. It remains when a Token was forgotten or
// closed while its job runs on.

/*
#include "native.h"
*/
import "C"

import (
	"context"
	"sync"
)

type pending struct {
	token C.palitra_token
	over  chan struct{} // Closed when the job has finished or the token was closed.
	items chan struct{} // Holds one when the stream may have an item; nil if nobody reads items.

	mu        sync.Mutex
	finished  bool
	closed    bool
	cancelled bool        // By a call, not by the context or the runner's end.
	cause     error       // Why the context cancelled the job.
	unbind    func() bool // Detaches the job from its context; nil if that never ends.
	callbacks []*callback // Those that close must silence, as the token in C lives on; see abandon.
}

// bind cancels the job when its context is done.
func (p *pending) bind(ctx context.Context) {
	if ctx.Done() == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finished {
		return
	}
	p.unbind = context.AfterFunc(ctx, func() {
		p.mu.Lock()
		if !p.finished {
			p.cause = causeOf(ctx)
		}
		p.mu.Unlock()
		C.palitra_token_cancel(p.token)
	})
}

// finish is called by whoever hears of the end first: the dispatcher, a callback, or one who asked the library. The
// others do nothing.
func (p *pending) finish() {
	p.mu.Lock()
	if p.finished {
		p.mu.Unlock()
		return
	}
	p.finished = true
	p.callbacks = nil
	closed, unbind := p.closed, p.unbind
	p.mu.Unlock()
	if unbind != nil {
		unbind()
	}
	if closed {
		C.palitra_token_free(p.token)
	} else {
		close(p.over)
	}
}

// hasItem is called by the dispatcher. Nobody reads the items of a closed token: its job ends.
func (p *pending) hasItem() {
	if p.isClosed() {
		C.palitra_token_cancel(p.token)
		return
	}
	select {
	case p.items <- struct{}{}:
	default:
	}
}

// close frees the token: at once, unless the job's context may still have to cancel it. Idempotent.
func (p *pending) close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	finished, bound := p.finished, p.unbind != nil
	p.mu.Unlock()
	if finished || !bound {
		C.palitra_token_free(p.token)
	} else {
		p.abandon()
	}
	if !finished {
		close(p.over)
	}
}

// abandon does what freeing the token in C would, which has to wait for the job's end because the context can only
// cancel what has a token: no callback is called any more for a pending job, and one that streams ends.
func (p *pending) abandon() {
	if C.palitra_token_poll(p.token, nil) == C.PALITRA_PENDING {
		p.mu.Lock()
		for _, c := range p.callbacks {
			c.token, c.function = nil, nil
		}
		p.callbacks = nil
		p.mu.Unlock()
	}
	// An item shows that the job streams. If there is none, the queue will be notified of the next one: see hasItem.
	if C.palitra_token_next(p.token, 0, nil) == C.PALITRA_OK {
		C.palitra_token_cancel(p.token)
	}
}

// register has close silence a callback that is about to be registered in C. It returns false after close.
func (p *pending) register(c *callback) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unbind != nil && !p.finished && !p.closed {
		p.callbacks = append(p.callbacks, c)
	}
	return !p.closed
}

// cancel cancels the job on behalf of a call.
func (p *pending) cancel() C.palitra_status {
	p.mu.Lock()
	p.cancelled = p.cancelled || !p.finished
	p.mu.Unlock()
	return C.palitra_token_cancel(p.token)
}

func (p *pending) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// statusOf returns the status of a job that has this one in C: there a context's deadline is a cancellation.
func (p *pending) statusOf(status C.palitra_status) Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	if status == C.PALITRA_CANCELLED && p.cause != nil {
		return endingOf(p.cause)
	}
	return Status(status)
}

// whyCancelled returns the error of a job that was cancelled.
func (p *pending) whyCancelled(job string, c *core) error {
	p.mu.Lock()
	cause, cancelled := p.cause, p.cancelled
	p.mu.Unlock()
	switch {
	case cause != nil:
		return endedBy(job, cause)
	case !cancelled && !bool(C.palitra_runner_is_alive(c.handle)):
		return &callError{job, StatusCancelled, ErrClosed}
	}
	return &callError{job, StatusCancelled, nil}
}
