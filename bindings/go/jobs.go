package palitra

// What the linked library holds.

/*
#include <stdlib.h>

#include "native.h"
*/
import "C"

import "unsafe"

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
