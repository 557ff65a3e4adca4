package palitra

// What the linked library holds.

/*
#include <stdlib.h>

#include "native.h"
*/
import "C"

import (
	"encoding/json"
	"unsafe"
)

// JobInfo describes a job.
type JobInfo struct {
	Name   string // The name it is submitted by.
	Doc    string // Its documentation; empty if it has none.
	Input  Format // The format of its payload.
	Output Format // The format of its reply when it succeeds.
}

// Jobs returns the jobs of the linked library, in the order of their names.
func Jobs() []JobInfo {
	jobs := make([]JobInfo, 0, int(C.palitra_job_count()))
	for i := range C.palitra_job_count() {
		var info C.palitra_job_info
		if C.palitra_job_at(i, &info) == C.PALITRA_OK {
			jobs = append(jobs, JobInfo{C.GoString(info.name), C.GoString(info.doc), Format(info.input), Format(info.output)})
		}
	}
	return jobs
}

// DescribeJob describes a job of the linked library in full, as a JSON document with formats and JSON Schemas: see
// palitra_job_describe in palitra.h. Returns [ErrUnknownJob] for a job that the library does not hold.
func DescribeJob(name string) (json.RawMessage, error) {
	x := exchanges.Get().(*exchange)
	defer exchanges.Put(x)
	cName := x.cName(name)
	if cName == nil {
		return nil, &callError{name, StatusInvalidArgument, nil}
	}
	return x.describe(name, cName)
}

// DescribeJobs describes all jobs of the linked library, as one JSON document.
func DescribeJobs() (json.RawMessage, error) {
	x := exchanges.Get().(*exchange)
	defer exchanges.Put(x)
	return x.describe("", nil)
}

func (x *exchange) describe(name string, cName *C.char) (json.RawMessage, error) {
	reply, err := x.receive(name, C.palitra_go_describe(cName, &x.filled))
	return json.RawMessage(reply.Data), err
}

// Configure configures the runners that are made from now on, the global one among them: see [WithConfig]. What was
// configured before is replaced; nil configures nothing. Meant to be called once, at the start of a program. Returns
// [ErrInvalidArgument] for what is no JSON object.
func Configure(config any) error {
	text := ""
	if config != nil {
		var err error
		if text, err = configText(config); err != nil {
			return err
		}
	}
	json := C.CString(text)
	defer C.free(unsafe.Pointer(json))
	return Status(C.palitra_configure(json)).orNil()
}

// Version returns the version of the linked library, such as "1.2.3".
func Version() string { return C.GoString(C.palitra_version()) }
