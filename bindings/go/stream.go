package palitra

// Streams: the items that a job sends while it runs.

/*
#include "native.h"
*/
import "C"

import (
	"context"
	"io"
	"iter"
	"runtime"
)

// Stream runs a job and yields the items that it sends, as they come. If the job did not succeed, the last pair has its
// error, as [Runner.Run] would return it. When the loop is left early or the context is done the job is cancelled. Each
// range over the result runs the job anew.
//
// A job whose items nobody reads waits after the first few: a slow loop slows the job.
func (r *Runner) Stream(ctx context.Context, job string, payload []byte, opts ...SubmitOption) iter.Seq2[Reply, error] {
	return func(yield func(Reply, error) bool) {
		t, err := r.Submit(ctx, job, payload, opts...)
		if err != nil {
			yield(Reply{}, err)
			return
		}
		defer t.Close()
		defer t.Cancel()
		for {
			// The context ends the job, and the job's end ends this wait.
			item, err := t.Next(context.WithoutCancel(ctx))
			if err == io.EOF || !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// Next waits for the next item of a job that streams and returns it. After the last item of a job that succeeded it
// returns [io.EOF], at once for a job that streams nothing. If the job did not succeed, it returns the job's error
// after the items that were sent before. When the context is done the error wraps ErrPending and the context's, and the
// job runs on. It returns ErrInvalidHandle when the token is closed, also meanwhile, and ErrWouldDeadlock instead of
// waiting in a callback. Each item goes to one caller.
func (t *Token) Next(ctx context.Context) (Reply, error) {
	// One at a time: the queue posts one event for the reader who found nothing before.
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	default:
		if err := t.awaitTurn(ctx); err != nil {
			return Reply{}, err
		}
		defer func() { <-t.turn }()
	}
	for {
		item, err := t.tryNext()
		if StatusOf(err) != StatusPending {
			return item, err
		}
		if t.runner.core.callbacks.here() {
			return Reply{}, t.error(StatusWouldDeadlock)
		}
		select {
		case <-t.pending.items:
		case <-t.pending.over:
		case <-ctx.Done():
			return Reply{}, &callError{t.job, StatusPending, causeOf(ctx)}
		}
	}
}

func (t *Token) awaitTurn(ctx context.Context) error {
	if t.runner.core.callbacks.here() {
		return t.error(StatusWouldDeadlock)
	}
	select {
	case t.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &callError{t.job, StatusPending, causeOf(ctx)}
	}
}

func (t *Token) tryNext() (Reply, error) {
	defer runtime.KeepAlive(t)
	if t.pending.isClosed() {
		return Reply{}, t.error(StatusInvalidHandle)
	}
	x := exchanges.Get().(*exchange)
	defer exchanges.Put(x)
	status := C.palitra_go_next(t.pending.token, &x.filled)
	if status == C.PALITRA_END {
		return Reply{}, io.EOF
	}
	return t.receive(x, status)
}
