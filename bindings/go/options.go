//go:build cgo && unix

package palitra

// How a runner is made, and how a job is submitted.

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

type runnerOptions struct {
	workers, blockingThreads           int
	stackSize, maxInFlight, maxPayload int
	spinLimit                          time.Duration // 0: the default.
	threadName, config                 string
	configError                        error
}

// Option is a choice for [New].
type Option func(*runnerOptions)

// WithWorkers adds n worker threads. Without it the runner's own thread runs all jobs.
func WithWorkers(n int) Option {
	return func(o *runnerOptions) { o.workers = n }
}

// WithBlockingThreads bounds the threads for blocking parts of jobs; 512 without it.
func WithBlockingThreads(n int) Option {
	return func(o *runnerOptions) { o.blockingThreads = n }
}

// WithThreadName names the runner's threads; "palitra" without it. A thread that Go begins while a callback runs has the
// name, too: the system gives it that of the thread that begins it.
func WithThreadName(name string) Option {
	return func(o *runnerOptions) { o.threadName = name }
}

// WithStackSize sets the stack of each thread, 64 KiB to 1 GiB in bytes; 2 MiB without it.
func WithStackSize(bytes int) Option {
	return func(o *runnerOptions) { o.stackSize = bytes }
}

// WithMaxInFlight bounds the jobs in flight; one more fails with [ErrBusy].
func WithMaxInFlight(n int) Option {
	return func(o *runnerOptions) { o.maxInFlight = n }
}

// WithSpinLimit says how long the runner's thread without work, and a thread that waits for one of its jobs, spin
// before they sleep, at most a millisecond. Each spins only as long as that has paid lately. The default is 20
// microseconds; with 0 they sleep at once.
func WithSpinLimit(limit time.Duration) Option {
	return func(o *runnerOptions) {
		if limit <= 0 {
			limit += noSpinning
		}
		o.spinLimit = limit
	}
}

// noSpinning is what C takes for no spinning at all, as a zero means the default.
const noSpinning time.Duration = -1

// WithMaxPayload bounds payloads, in bytes; a larger one fails with [ErrTooLarge].
func WithMaxPayload(bytes int) Option {
	return func(o *runnerOptions) { o.maxPayload = bytes }
}

// WithConfig says what the states of the runner's jobs are configured by, such as a pool of connections: a value whose
// JSON is an object with a member for each state, by the name that the documentation of the jobs says. What is not named
// there is as [Configure] set it before. [New] returns [ErrInvalidArgument] for what is no JSON object.
func WithConfig(config any) Option {
	return func(o *runnerOptions) { o.config, o.configError = configText(config) }
}

func configText(config any) (string, error) {
	text, err := json.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrInvalidArgument, err)
	}
	return string(text), nil
}

// valid returns whether the numbers can be passed to C as they are.
func (o *runnerOptions) valid() bool {
	for _, n := range []int{o.workers, o.blockingThreads} {
		if n < 0 || n > math.MaxInt32 {
			return false
		}
	}
	return o.stackSize >= 0 && o.maxInFlight >= 0 && o.maxPayload >= 0 && o.spinLimit >= noSpinning
}

type submitOptions struct {
	deadline    int64  // Nanoseconds; 0: none.
	streamItems uint32 // 0: the default.
}

// SubmitOption is a choice for one job: for [Runner.Run], [Runner.Submit], [Runner.SubmitMany], [Runner.Stream] and
// those of a typed [Job].
type SubmitOption func(*submitOptions)

func chosen(opts []SubmitOption) submitOptions {
	if len(opts) == 0 {
		return submitOptions{} // Without the one below, which Go puts on its heap.
	}
	var o submitOptions
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// WithDeadline cancels the job so long after it was submitted; it then finishes with [ErrDeadline]. The runner keeps
// the deadline itself, whether or not anyone waits.
func WithDeadline(d time.Duration) SubmitOption {
	// 0 means none in C; a deadline that has passed is 1.
	return func(o *submitOptions) { o.deadline = max(1, d.Nanoseconds()) }
}

// WithStreamItems lets up to n items of a stream, 1 to 65536, wait for a reader before the job waits; 16 without it.
// With any other number submitting returns [ErrInvalidArgument]. What a job that is only run streams, nobody reads.
func WithStreamItems(n int) SubmitOption {
	if n < 1 || n > math.MaxUint16+1 {
		n = math.MaxUint32 // Which C refuses.
	}
	return func(o *submitOptions) { o.streamItems = uint32(n) }
}
