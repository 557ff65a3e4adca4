package palitra

// The dispatcher in every order of what may happen to one job: it is expected, alone or among others, its event comes
// or is lost, because the queue was closed before, the dispatcher ends. Each step holds the lock, so that an order of
// steps is all there is.
//
// Promise 1: a token finishes exactly once.

import (
	"slices"
	"testing"
)

func TestWhoeverIsExpectedIsFinishedOnceInEveryOrder(t *testing.T) {
	const tag = 7
	alone := func(d *dispatcher, p *pending) { d.expect(tag, p) }
	among := func(d *dispatcher, p *pending) { d.expectMany(tag, []*pending{p}) }
	for _, order := range [][]string{
		{"expect", "event", "end"},
		{"event", "expect", "end"},
		{"event", "end", "expect"},
		{"expect", "end"},
		{"end", "expect"},
		{"expect", "item", "end"},
		{"item", "expect", "event", "end"},
		{"expect", "forget", "end"},
	} {
		for _, expect := range []func(*dispatcher, *pending){alone, among} {
			d := &dispatcher{waiting: make(map[uint64]*pending)}
			p := &pending{over: make(chan struct{}), items: make(chan struct{}, 1)}
			for _, step := range order {
				switch step {
				case "expect":
					expect(d, p)
				case "item":
					d.hasItem(tag)
				case "event":
					d.finish(tag) // Closes the channel; a second time would panic.
				case "forget":
					d.forget(tag)
				case "end":
					d.finishAll()
				}
			}
			finished := false
			select {
			case <-p.over:
				finished = true
			default:
			}
			refused := slices.Contains(order, "forget")
			if finished == refused {
				t.Errorf("%v: finished is %v", order, finished)
			}
		}
	}
}
