package palitra

// The errors of this package, for errors.Is and errors.As.

/*
#include "native.h"
*/
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// What errors of this package wrap.
var (
	// ErrPending: the job has not finished yet; it runs on.
	ErrPending error = StatusPending
	// ErrJobFailed: the job failed with an error of its own, a [JobError].
	ErrJobFailed error = StatusJobFailed
	// ErrJobPanicked: the job panicked, a [PanicError]. The runner lives on.
	ErrJobPanicked error = StatusJobPanicked
	// ErrCancelled: the job was cancelled by its context, a call, a fail-fast gather or the end of its runner. If it was
	// the context, the error wraps the context's, too; if it was the end of the runner, ErrClosed.
	ErrCancelled error = StatusCancelled
	// ErrDeadline: the job's deadline passed. The same as [context.DeadlineExceeded] for errors.Is.
	ErrDeadline error = StatusDeadline
	// ErrBadPayload: the job refused its payload before it started, because it is JSON that does not fit or text that
	// is not UTF-8. A [JobError], and an ErrJobFailed too.
	ErrBadPayload error = StatusBadPayload
	// ErrInvalidArgument: an argument has a value that the call refuses.
	ErrInvalidArgument error = StatusInvalidArgument
	// ErrInvalidHandle: the runner or token was closed.
	ErrInvalidHandle error = StatusInvalidHandle
	// ErrUnknownJob: no job of that name is registered in the library that is linked.
	ErrUnknownJob error = StatusUnknownJob
	// ErrBusy: as many jobs are in flight as the runner accepts, see [WithMaxInFlight].
	ErrBusy error = StatusBusy
	// ErrTooLarge: the payload is larger than the runner accepts, see [WithMaxPayload].
	ErrTooLarge error = StatusTooLarge
	// ErrWouldDeadlock: a callback of [Token.OnComplete] would have waited for its own runner.
	ErrWouldDeadlock error = StatusWouldDeadlock
	// ErrShutDown: the runner was shut down.
	ErrShutDown error = StatusShutDown
	// ErrForked: the handle was made before this process was forked from its parent.
	ErrForked error = StatusForked
	// ErrInternal: the system refused a thread, or the library has a defect.
	ErrInternal error = StatusInternal
	// ErrClosed: the runner was shut down or closed, or the token was closed. For errors.Is the same as ErrShutDown and
	// ErrInvalidHandle, with which later calls are refused; the jobs that the end of a runner cancelled have an error
	// that wraps ErrCancelled and this.
	ErrClosed error = closed{}
)

type closed struct{}

func (closed) Error() string { return "palitra: the runner or the token was closed" }

// JobError is a job's own failure, which wraps [ErrJobFailed], or its refusal of a payload, which wraps
// [ErrBadPayload].
type JobError struct {
	Job     string // The job's name.
	Code    int32  // The number that the job gave its failure.
	Message string // The job's message.
	// What the failure says to programs, as JSON; nil if it says nothing.
	Details json.RawMessage

	badPayload bool
}

func (e *JobError) Error() string {
	if e.badPayload {
		return fmt.Sprintf("palitra: %s: %s", e.Job, e.Message)
	}
	return fmt.Sprintf("palitra: %s failed with code %d: %s", e.Job, e.Code, e.Message)
}

func (e *JobError) Unwrap() error {
	if e.badPayload {
		return ErrBadPayload
	}
	return ErrJobFailed
}

// PanicError is the panic of a job. It wraps [ErrJobPanicked].
type PanicError struct {
	Job     string // The job's name.
	Message string // The panic's message.
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("palitra: %s panicked: %s", e.Job, e.Message)
}

func (e *PanicError) Unwrap() error { return ErrJobPanicked }

// callError is a status with the name of the job that it is about, and what caused it, if anything did.
type callError struct {
	job    string
	status Status
	cause  error // A context's error, ErrClosed or nil.
}

func (e *callError) Error() string {
	if e.cause != nil {
		cause := strings.TrimPrefix(e.cause.Error(), "palitra: ")
		return fmt.Sprintf("palitra: %s: %s: %s", e.job, e.status.message(), cause)
	}
	if nearest := e.nearest(); nearest != "" {
		return fmt.Sprintf("palitra: %s: %s; the nearest is %s", e.job, e.status.message(), nearest)
	}
	return fmt.Sprintf("palitra: %s: %s", e.job, e.status.message())
}

// nearest returns the job whose name is nearest to an unknown one; "" if none is near.
func (e *callError) nearest() string {
	if e.status != StatusUnknownJob {
		return ""
	}
	var x exchange
	name := x.cName(e.job)
	if name == nil {
		return ""
	}
	return C.GoString(C.palitra_job_nearest(name))
}

func (e *callError) Unwrap() []error {
	if e.cause != nil {
		return []error{e.status, e.cause}
	}
	return []error{e.status}
}

// Timeout returns whether time ran out: the job's, the context's or the wait's.
func (e *callError) Timeout() bool {
	return e.status.Timeout() || errors.Is(e.cause, context.DeadlineExceeded)
}

// contextError is why a context is done, in its owner's words, and the context's own error.
type contextError struct{ cause, err error }

func (e *contextError) Error() string { return e.cause.Error() }

func (e *contextError) Unwrap() []error { return []error{e.cause, e.err} }

// causeOf returns why the context is done: what errors.Is takes for its error and for its cause.
func causeOf(ctx context.Context) error {
	cause, err := context.Cause(ctx), ctx.Err()
	if cause == err {
		return err
	}
	return &contextError{cause, err}
}

// endedBy returns the error of a job that its context ended.
func endedBy(job string, cause error) error {
	return &callError{job, endingOf(cause), cause}
}

// endingOf returns how a job ended that its context ended.
func endingOf(cause error) Status {
	if errors.Is(cause, context.DeadlineExceeded) {
		return StatusDeadline
	}
	return StatusCancelled
}

// errorOf returns the error for a status and the message and details of its reply; nil if the job succeeded.
func errorOf(job string, status Status, code int32, message, details []byte) error {
	switch status {
	case StatusOK:
		return nil
	case StatusJobFailed:
		return &JobError{Job: job, Code: code, Message: string(message), Details: details}
	case StatusBadPayload:
		return &JobError{Job: job, Message: string(message), Details: details, badPayload: true}
	case StatusJobPanicked:
		return &PanicError{job, string(message)}
	}
	return &callError{job, status, nil}
}
