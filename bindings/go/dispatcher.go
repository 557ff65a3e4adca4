package palitra

// The dispatcher of a runner: one goroutine that takes the events of finished jobs from the runner's completion queue
// and wakes the goroutines that wait for them. It sleeps in Go's network poller, so that waiting goroutines, however
// many, block no thread.
//
// What must stay true:
//   - Every job that was submitted with a tag has exactly one event of its end, however it ends, until the queue is
//     closed. That happens only after the runner's end.
//   - A call may still be in C then, where it polls a job inline, or come back with a token that the runner's end has
//     finished: the event of its end finds no queue. So nobody waits any more once the dispatcher has ended: whoever is
//     expected is finished by its end, and whoever is expected later is finished at once.
//   - An event with a call's tag says that the call may have room for an item. It is lost if the call has ended.
//   - The dispatcher has no reference to Runner and Token, so that forgotten ones can be collected.

/*
#include "native.h"
*/
import "C"

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type dispatcher struct {
	queue C.palitra_queue
	ready *os.File      // A duplicate of the queue's descriptor: the poller closes its own.
	ended chan struct{} // Closed when the goroutine has returned.
	tags  atomic.Uint64
	mu    sync.Mutex
	// Who waits for which tag; nil for a job that finished before it was expected.
	waiting map[uint64]*pending
	rooms   map[uint64]chan struct{} // Of the calls that have waited for room; each holds one when there may be some.
	over    bool                     // No event comes any more.
}

// callTag is set in the tags of calls: nobody expects an end of theirs.
const callTag = 1 << 63

func newDispatcher() (*dispatcher, error) {
	d := &dispatcher{
		ended:   make(chan struct{}),
		waiting: make(map[uint64]*pending),
		rooms:   make(map[uint64]chan struct{}),
	}
	if status := C.palitra_queue_new(&d.queue); status != C.PALITRA_OK {
		return nil, Status(status)
	}
	fd, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(C.palitra_queue_fd(d.queue)), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		C.palitra_queue_free(d.queue)
		return nil, fmt.Errorf("%w: %w", ErrInternal, errno)
	}
	d.ready = os.NewFile(fd, "palitra queue")
	connection, err := d.ready.SyscallConn()
	if err == nil {
		// A deadline can be set exactly if the poller has accepted the descriptor.
		err = d.ready.SetReadDeadline(time.Time{})
	}
	if err != nil {
		d.ready.Close()
		C.palitra_queue_free(d.queue)
		return nil, fmt.Errorf("%w: %w", ErrInternal, err)
	}
	go d.run(connection)
	return d, nil
}

// run drains the queue each time it becomes readable, until it is closed and empty.
func (d *dispatcher) run(connection syscall.RawConn) {
	defer close(d.ended)
	defer d.finishAll()
	events := make([]C.palitra_event, 256)
	// Read calls the function until it returns true, and waits in the poller in between.
	_ = connection.Read(func(uintptr) bool {
		for {
			var n C.size_t
			switch C.palitra_queue_next(d.queue, 0, &events[0], C.size_t(len(events)), &n) {
			case C.PALITRA_OK:
				d.tell(events[:n])
			case C.PALITRA_PENDING:
				return false
			default:
				return true
			}
		}
	})
}

func (d *dispatcher) tell(events []C.palitra_event) {
	for i := range events {
		switch tag := uint64(events[i].tag); {
		case tag&callTag != 0:
			d.hasRoom(tag)
		case events[i].status == C.PALITRA_PENDING:
			d.hasItem(tag)
		default:
			d.finish(tag)
		}
	}
}

// hasItem notifies whoever waits for the tag's job of an item.
func (d *dispatcher) hasItem(tag uint64) {
	d.mu.Lock()
	p := d.waiting[tag]
	d.mu.Unlock()
	if p != nil {
		p.hasItem()
	}
}

// hasRoom notifies the tag's call, if it has not ended.
func (d *dispatcher) hasRoom(tag uint64) {
	d.mu.Lock()
	room := d.rooms[tag]
	d.mu.Unlock()
	select {
	case room <- struct{}{}:
	default:
	}
}

// expectRoom returns a new tag for a call, and what holds one when the call may have room.
func (d *dispatcher) expectRoom() (tag uint64, room chan struct{}) {
	tag, room = d.newTag()|callTag, make(chan struct{}, 1)
	d.mu.Lock()
	d.rooms[tag] = room
	d.mu.Unlock()
	return tag, room
}

func (d *dispatcher) forgetRoom(tag uint64) {
	d.mu.Lock()
	delete(d.rooms, tag)
	d.mu.Unlock()
}

// finish notifies whoever waits for the tag's job, now or once it is expected, of the end.
func (d *dispatcher) finish(tag uint64) {
	d.mu.Lock()
	p, expected := d.waiting[tag]
	if expected {
		delete(d.waiting, tag)
	} else {
		d.waiting[tag] = nil
	}
	d.mu.Unlock()
	if p != nil {
		p.finish()
	}
}

func (d *dispatcher) newTag() uint64 { return d.newTags(1) }

// newTags returns the first of n new tags, which count on from it.
func (d *dispatcher) newTags(n int) uint64 { return d.tags.Add(uint64(n)) - uint64(n) + 1 }

// finishAll finishes everyone who waits. The runner has ended, and so their jobs' tokens have finished.
func (d *dispatcher) finishAll() {
	d.mu.Lock()
	d.over = true
	waiting := slices.Collect(maps.Values(d.waiting))
	d.mu.Unlock()
	for _, p := range waiting {
		if p != nil {
			p.finish()
		}
	}
}

// expect has p notified of the tag's job. Call it before or after the job is submitted.
func (d *dispatcher) expect(tag uint64, p *pending) {
	d.mu.Lock()
	waits := d.register(tag, p)
	d.mu.Unlock()
	if !waits {
		p.finish()
	}
}

// expectMany does the same for jobs whose tags count on from the first.
func (d *dispatcher) expectMany(first uint64, waiting []*pending) {
	var finished []*pending
	d.mu.Lock()
	for i, p := range waiting {
		if !d.register(first+uint64(i), p) {
			finished = append(finished, p)
		}
	}
	d.mu.Unlock()
	for _, p := range finished {
		p.finish()
	}
}

// register returns whether p has to wait: the job has not finished yet, nor has the runner ended. Call it locked.
func (d *dispatcher) register(tag uint64, p *pending) bool {
	if _, finished := d.waiting[tag]; finished || d.over {
		delete(d.waiting, tag)
		return false
	}
	d.waiting[tag] = p
	return true
}

// forget undoes expect for a job that was refused.
func (d *dispatcher) forget(tag uint64) {
	d.mu.Lock()
	delete(d.waiting, tag)
	d.mu.Unlock()
}

// stop delivers the events that are left and ends the goroutine. The runner has ended before, so no event comes any
// more. The queue stays until free, so that a job submitted with it is refused for the right reason: the runner's end.
func (d *dispatcher) stop() {
	C.palitra_queue_close(d.queue)
	<-d.ended
	d.ready.Close()
}

func (d *dispatcher) free() {
	C.palitra_queue_free(d.queue)
}
