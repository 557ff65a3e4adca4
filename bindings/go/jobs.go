package palitra

// What the linked library holds.

/*
#include "native.h"
*/
import "C"

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

// Version returns the version of the linked library, such as "1.2.3".
func Version() string { return C.GoString(C.palitra_version()) }
