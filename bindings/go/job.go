//go:build cgo && unix

package palitra

// Jobs whose types are known.

import (
	"context"
	"iter"
)

// Job is the name of a job whose payload is an In as JSON, and whose reply, or each item that it streams, is an Out as
// JSON:
//
//	var getPage palitra.Job[Request, Page] = "http.get"
//	page, err := getPage.Run(ctx, runner, Request{URL: "https://example.org"})
type Job[In, Out any] string

// Run runs the job, as [Runner.Run] does. Errors are those of [RunJSON].
func (j Job[In, Out]) Run(ctx context.Context, r *Runner, in In, opts ...SubmitOption) (Out, error) {
	return RunJSON[Out](ctx, r, string(j), in, opts...)
}

// Submit submits the job, as [Runner.Submit] does; see [Job.Wait].
func (j Job[In, Out]) Submit(ctx context.Context, r *Runner, in In, opts ...SubmitOption) (*Token, error) {
	return SubmitJSON(ctx, r, string(j), in, opts...)
}

// Wait waits for a token of the job, as [Token.Wait] does.
func (j Job[In, Out]) Wait(ctx context.Context, t *Token) (Out, error) {
	return WaitJSON[Out](ctx, t)
}

// Stream yields the items of the job, as [Runner.Stream] does.
func (j Job[In, Out]) Stream(ctx context.Context, r *Runner, in In, opts ...SubmitOption) iter.Seq2[Out, error] {
	return StreamJSON[Out](ctx, r, string(j), in, opts...)
}
