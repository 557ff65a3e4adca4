package palitra

// Statuses: how a call or a job ended, by the numbers of the C library. Every error of this package is one, or wraps
// one; see errors.go.

/*
#include "native.h"
*/
import "C"

import (
	"context"
	"errors"
	"io"
)

// Status is how a call or a job ended. All but StatusOK are used as errors; compare them with [errors.Is].
type Status int32

// How a job, or a call, ended.
const (
	StatusOK              Status = C.PALITRA_OK
	StatusPending         Status = C.PALITRA_PENDING
	StatusEnd             Status = C.PALITRA_END
	StatusJobFailed       Status = C.PALITRA_JOB_FAILED
	StatusJobPanicked     Status = C.PALITRA_JOB_PANICKED
	StatusCancelled       Status = C.PALITRA_CANCELLED
	StatusDeadline        Status = C.PALITRA_DEADLINE
	StatusBadPayload      Status = C.PALITRA_BAD_PAYLOAD
	StatusInvalidArgument Status = C.PALITRA_INVALID_ARGUMENT
	StatusInvalidHandle   Status = C.PALITRA_INVALID_HANDLE
	StatusUnknownJob      Status = C.PALITRA_UNKNOWN_JOB
	StatusBusy            Status = C.PALITRA_BUSY
	StatusTooLarge        Status = C.PALITRA_TOO_LARGE
	StatusWouldDeadlock   Status = C.PALITRA_WOULD_DEADLOCK
	StatusShutDown        Status = C.PALITRA_SHUT_DOWN
	StatusForked          Status = C.PALITRA_FORKED
	StatusInternal        Status = C.PALITRA_INTERNAL
)

// StatusOf returns the status of an error of this package: StatusOK for nil, StatusEnd for [io.EOF], StatusShutDown for
// ErrClosed itself, StatusInternal for an error of another package.
func StatusOf(err error) Status {
	var status Status
	switch {
	case err == nil:
		return StatusOK
	case errors.As(err, &status):
		return status
	case errors.Is(err, io.EOF):
		return StatusEnd
	case errors.Is(err, ErrClosed):
		return StatusShutDown
	}
	return StatusInternal
}

// String returns the status's name in C, such as "PALITRA_BUSY".
func (s Status) String() string {
	return C.GoString(C.palitra_status_name(C.palitra_status(s)))
}

// Error returns one sentence with the meaning of the status.
func (s Status) Error() string {
	return "palitra: " + s.message()
}

// Timeout returns whether the status is that of a deadline, as [os.IsTimeout] and others ask it.
func (s Status) Timeout() bool { return s == StatusDeadline }

// Is makes a deadline's status the same as [context.DeadlineExceeded], that of a runner or a token that is gone the
// same as [ErrClosed], and a refused payload's the same as [ErrJobFailed]. A cancellation is [context.Canceled] only
// where a context was cancelled: the error then wraps the context's.
func (s Status) Is(target error) bool {
	switch target {
	case context.DeadlineExceeded:
		return s == StatusDeadline
	case ErrClosed:
		return s == StatusShutDown || s == StatusInvalidHandle
	case ErrJobFailed:
		return s == StatusBadPayload
	}
	return false
}

// orNil returns the status as an error, nil for StatusOK.
func (s Status) orNil() error {
	if s == StatusOK {
		return nil
	}
	return s
}

func (s Status) message() string {
	return C.GoString(C.palitra_status_message(C.palitra_status(s)))
}
