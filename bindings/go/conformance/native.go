//go:build palitra_test_jobs

package main

// What goes through C: Go's types forbid forged handles, a Go program cannot fork, and a Go function returns once.

/*
#include <stdlib.h>
#include "native.h"
*/
import "C"

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"

	palitra "palitra.example/bindings/go"
)

func forged(what string) string {
	if what == "token" {
		return statusName(palitra.Status(C.poll_forged_token()))
	}
	return statusName(palitra.Status(C.submit_to_forged_runner()))
}

// registerAnswering registers a job that answers twice, with a note of each answer's status, or never.
func (h *host) registerAnswering(r *palitra.Runner, name string, twice bool) string {
	reader, writer, err := os.Pipe()
	if err != nil {
		return "error: " + err.Error()
	}
	text, times := C.CString(name), C.int(0)
	defer C.free(unsafe.Pointer(text))
	if twice {
		times = 1
	}
	status := palitra.Status(C.register_answering(C.uint64_t(r.ID()), text, times, C.intptr_t(writer.Fd())))
	h.pipes = append(h.pipes, writer)
	go func() {
		defer reader.Close()
		for number := make([]byte, 1); ; {
			if _, err := reader.Read(number); err != nil {
				return
			}
			h.leave(name, statusName(palitra.Status(number[0])))
		}
	}()
	return statusName(status)
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
