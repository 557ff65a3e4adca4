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

	mu       sync.Mutex
	finished bool
	closed   bool
	cause    error       // Why the context cancelled the job.
	unbind   func() bool // Detaches the job from its context; nil if that never ends.
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
			p.cause = context.Cause(ctx)
		}
		p.mu.Unlock()
		C.palitra_token_cancel(p.token)
	})
}

// finish is called once, by the dispatcher.
func (p *pending) finish() {
	p.mu.Lock()
	p.finished = true
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

func (p *pending) hasItem() {
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
	}
	if !finished {
		close(p.over)
	}
}

func (p *pending) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *pending) whyCancelled() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cause
}
