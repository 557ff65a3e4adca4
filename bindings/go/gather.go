//go:build cgo && unix

package palitra

// Waiting for many tokens.

import (
	"context"
	"errors"
	"sync"
)

// Gather waits for all tokens and returns their replies in order; the reply of a job that did not succeed is empty. The
// error joins those of all such jobs, in order: errors.As finds the first, [Token.Poll] returns each. When the context
// is done the wait ends and the jobs run on: the replies of those that have finished are there, and the error wraps
// ErrPending for the others. Without tokens it returns at once.
func Gather(ctx context.Context, tokens ...*Token) ([]Reply, error) {
	replies := make([]Reply, len(tokens))
	errs := make([]error, len(tokens))
	for i, t := range tokens {
		replies[i], errs[i] = t.Wait(ctx)
	}
	return replies, errors.Join(errs...)
}

// GatherFailFast waits for all tokens as [Gather] does, but at the first failure in time it cancels the rest and
// returns that failure's error. When the context is done the wait ends with an error that wraps ErrPending, and the
// jobs run on.
func GatherFailFast(ctx context.Context, tokens ...*Token) ([]Reply, error) {
	replies := make([]Reply, len(tokens))
	failed := make(chan error, len(tokens))
	// Before anyone writes to what is returned.
	for _, t := range tokens {
		if t.runner.core.callbacks.here() && !t.hasEnded() {
			return replies, t.error(StatusWouldDeadlock)
		}
	}
	waiting, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var waits sync.WaitGroup
	for i, t := range tokens {
		waits.Add(1)
		go func() {
			defer waits.Done()
			var err error
			if replies[i], err = t.Wait(waiting); err != nil {
				failed <- err
				giveUp()
			}
		}()
	}
	waits.Wait()
	select {
	case err := <-failed:
		if ctx.Err() == nil || !errors.Is(err, ErrPending) {
			for _, t := range tokens {
				_ = t.Cancel()
			}
		}
		return replies, err
	default:
		return replies, nil
	}
}
