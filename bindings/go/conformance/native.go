//go:build palitra_test_jobs

package main

// What goes through C: Go's types forbid forged handles, and a Go program cannot fork.

/*
#include <stdlib.h>
#include "native.h"
*/
import "C"

import (
	"fmt"
	"syscall"
	"unsafe"

	"palitra"
)

func forged(what string) string {
	if what == "token" {
		return statusName(palitra.Status(C.poll_forged_token()))
	}
	return statusName(palitra.Status(C.submit_to_forged_runner()))
}

func (h *host) fork(words []string) string {
	job, payload := C.CString("palitra.echo"), C.CString("")
	defer func() { C.free(unsafe.Pointer(job)); C.free(unsafe.Pointer(payload)) }()
	var ended C.int
	switch words[0] {
	case "wait":
		t := h.token(words[1])
		ended = C.in_forked_child(C.CHILD_WAITS, C.uint64_t(t.runner.ID()), C.uint64_t(t.ID()), job, payload)
	case "run":
		ended = C.in_forked_child(C.CHILD_RUNS, C.uint64_t(h.runner(words[1]).ID()), 0, job, payload)
	case "global":
		ended = C.in_forked_child(C.CHILD_USES_GLOBAL, 0, 0, job, payload)
	default:
		return "error: no child that does " + words[0]
	}
	status := syscall.WaitStatus(ended)
	switch {
	case ended < 0:
		return "error: no child"
	case status.Signaled():
		return fmt.Sprintf("error: signal %d", status.Signal())
	}
	return statusName(palitra.Status(status.ExitStatus()))
}
