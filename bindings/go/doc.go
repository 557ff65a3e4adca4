// Package palitra calls asynchronous jobs, written in Rust, from Go.
//
//	runner, err := palitra.New()
//	if err != nil {
//		return err
//	}
//	defer runner.Close()
//	reply, err := runner.Run(ctx, "http.get", []byte(`{"url": "https://example.org"}`))
//
// A [Runner] is a persistent runtime thread of libpalitra. Jobs are known by name; [Jobs] lists what the linked library
// holds. They take bytes, text or JSON and return the same; [RunJSON] and its like, and a typed [Job], take and return Go
// values. [Runner.Register] adds jobs in Go, [SetLogger] hands the library's log to a [log/slog.Logger].
//
// # Ways to wait
//
//	one job, run to its end               Runner.Run, RunJSON
//	a job that is waited for later        Runner.Submit, Token.Wait, Token.Done
//	many                                  Gather, GatherFailFast
//	the items of a job that streams       Runner.Stream, Token.Next
//	a look that never blocks              Token.Poll, Token.Progress
//	a function that is called             Token.OnComplete
//
// Waiting goroutines block no thread: each runner has one goroutine that sleeps in Go's network poller and wakes the
// others. A hundred thousand may wait at once.
//
// # Contexts
//
// The context of Run, Submit and Stream is the job's: when it is done the job is cancelled, and nothing of it remains.
// The context of Wait, Next and Gather is the wait's alone: when it is done the job runs on. The runner also keeps
// deadlines itself, see [WithDeadline].
//
// # Errors
//
//	errors.Is(err, palitra.ErrBusy)              one of the Err values
//	errors.Is(err, palitra.ErrClosed)            the runner was shut down or closed, or the token was closed
//	errors.Is(err, context.DeadlineExceeded)     the context's deadline or the job's; err has Timeout() bool, too
//	errors.Is(err, context.Canceled)             the context was cancelled, and nothing else
//	errors.As(err, &jobError)                    a *JobError: the job's own failure, its code and message; or its
//	                                             refusal of the payload, for which errors.Is finds ErrBadPayload too
//	errors.As(err, &panicError)                  a *PanicError
//
// # What to close
//
// Close runners and tokens. Both calls are idempotent, and what was forgotten is closed when the garbage collector
// finds it. The [Global] runner need not be closed, and closing it does nothing. Replies are in Go's own memory.
// Everything may be used by several goroutines at once. A process may exit at any moment, and signals reach it as they
// reach any Go program.
//
// # Linking
//
// pkg-config finds libpalitra where make install has put it. With -tags palitra_custom the library is your own: name it
// in CGO_LDFLAGS, and the folder of palitra.h in CGO_CFLAGS.
package palitra
