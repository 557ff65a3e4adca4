package palitra

// Submitting many jobs at once.

/*
#include "native.h"
*/
import "C"

import (
	"context"
	"runtime"
	"strings"
)

// Submission is one of the jobs of [Runner.SubmitMany].
type Submission struct {
	Job     string
	Payload []byte // Copied by the call.
}

// SubmitMany submits jobs in order, for less than half of what as many calls of [Runner.Submit] cost, and returns their
// tokens. At the first job that is refused it stops: the error is the one that Submit would return for this job, and
// the tokens are those of the jobs before it, which run. Context and options are those of each job, as in Submit.
func (r *Runner) SubmitMany(ctx context.Context, jobs []Submission, opts ...SubmitOption) ([]*Token, error) {
	o := chosen(opts)
	defer runtime.KeepAlive(r)
	if len(jobs) == 0 {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, endedBy(jobs[0].Job, causeOf(ctx))
	}
	packed, err := pack(jobs)
	if len(packed.lengths) == 0 {
		return nil, err
	}
	n := len(packed.lengths)
	c := r.core
	first := c.newTags(n)
	waiting := make([]*pending, n)
	for i := range waiting {
		waiting[i] = &pending{over: make(chan struct{}), items: make(chan struct{}, 1)}
	}
	c.expectMany(first, waiting)
	handles := make([]C.palitra_token, n)
	var taken C.size_t
	submitting <- struct{}{}
	status := C.palitra_go_submit_many(c.handle, pointer(packed.names), &packed.places[0], pointer(packed.payloads),
		&packed.lengths[0], C.size_t(n), c.queue, C.uint64_t(first), C.int64_t(o.deadline), C.uint32_t(o.streamItems),
		&handles[0], &taken)
	<-submitting
	tokens := make([]*Token, taken)
	for i := range tokens {
		p := waiting[i]
		p.token = handles[i]
		p.bind(ctx)
		tokens[i] = newToken(r, p, jobs[i].Job)
	}
	for i := int(taken); i < n; i++ {
		c.forget(first + uint64(i))
	}
	if status != C.PALITRA_OK {
		err = &callError{jobs[taken].Job, Status(status), nil}
	}
	return tokens, err
}

// packedJobs are jobs in a form without a pointer in it, so that C can be given it.
type packedJobs struct {
	names, payloads []byte
	places, lengths []C.size_t
}

// pack packs the jobs before the first whose name has a NUL inside, which no job can have: that is the error.
func pack(jobs []Submission) (packedJobs, error) {
	var packed packedJobs
	size := 0
	for i := range jobs {
		size += len(jobs[i].Payload)
	}
	packed.payloads = make([]byte, 0, size)
	packed.places = make([]C.size_t, 0, len(jobs))
	packed.lengths = make([]C.size_t, 0, len(jobs))
	last, place := "", -1
	for i := range jobs {
		job := &jobs[i]
		if job.Job != last || place < 0 {
			if strings.IndexByte(job.Job, 0) >= 0 {
				return packed, &callError{job.Job, StatusUnknownJob, nil}
			}
			last, place = job.Job, len(packed.names)
			packed.names = append(append(packed.names, job.Job...), 0)
		}
		packed.places = append(packed.places, C.size_t(place))
		packed.payloads = append(packed.payloads, job.Payload...)
		packed.lengths = append(packed.lengths, C.size_t(len(job.Payload)))
	}
	return packed, nil
}
