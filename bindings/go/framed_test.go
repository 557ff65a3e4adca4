//go:build palitra_test_jobs

package palitra_test

import (
	"math"
	"testing"

	palitra "palitra.example/bindings/go"
)

func TestFrameIsOnePayloadAndOneReply(t *testing.T) {
	r := newRunner(t)
	type width struct {
		Width int `json:"width"`
	}
	var head struct {
		Head  width `json:"head"`
		Bytes int   `json:"bytes"`
	}
	for _, body := range []string{"a\x00\n\xff", ""} {
		payload, err := palitra.Frame(width{7}, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		reply, err := r.Run(base(t), "test.framed", payload)
		if err != nil {
			t.Fatal(err)
		}
		got, err := reply.Unframe(&head)
		if err != nil || string(got) != body || head.Head.Width != 7 || head.Bytes != len(body) {
			t.Errorf("%q %+v %v", got, head, err)
		}
	}
	if _, err := palitra.Frame(math.NaN(), nil); err == nil {
		t.Error("a head that is no JSON")
	}
	if _, err := (palitra.Reply{Data: []byte("no JSON\nbody")}).Unframe(&head); err == nil {
		t.Error("a reply without JSON")
	}
}
