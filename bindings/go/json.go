//go:build cgo && unix

package palitra

// Jobs that take and return JSON, as Go values.

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
)

// RunJSON runs a job whose payload is in as JSON and whose reply is an Out as JSON. Errors are those of [Runner.Run],
// and encoding/json's.
func RunJSON[Out any](ctx context.Context, r *Runner, job string, in any, opts ...SubmitOption) (Out, error) {
	payload, err := encode(job, in)
	if err != nil {
		return *new(Out), err
	}
	reply, err := r.Run(ctx, job, payload, opts...)
	return decode[Out](job, reply, err)
}

// SubmitJSON submits a job whose payload is in as JSON, as [Runner.Submit] does; see [WaitJSON].
func SubmitJSON(ctx context.Context, r *Runner, job string, in any, opts ...SubmitOption) (*Token, error) {
	payload, err := encode(job, in)
	if err != nil {
		return nil, err
	}
	return r.Submit(ctx, job, payload, opts...)
}

// WaitJSON waits for a job, as [Token.Wait] does, whose reply is an Out as JSON.
func WaitJSON[Out any](ctx context.Context, t *Token) (Out, error) {
	reply, err := t.Wait(ctx)
	return decode[Out](t.job, reply, err)
}

// StreamJSON yields the items of a job, as [Runner.Stream] does, whose payload is in as JSON and whose items are each
// an Item as JSON.
func StreamJSON[Item any](
	ctx context.Context, r *Runner, job string, in any, opts ...SubmitOption,
) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		payload, err := encode(job, in)
		if err != nil {
			yield(*new(Item), err)
			return
		}
		for reply, err := range r.Stream(ctx, job, payload, opts...) {
			item, err := decode[Item](job, reply, err)
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

func encode(job string, in any) ([]byte, error) {
	payload, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("palitra: %s: the payload: %w", job, err)
	}
	return payload, nil
}

func decode[T any](job string, reply Reply, err error) (T, error) {
	var value T
	if err != nil {
		return value, err
	}
	if err := reply.Decode(&value); err != nil {
		return value, fmt.Errorf("palitra: %s: the reply: %w", job, err)
	}
	return value, nil
}
