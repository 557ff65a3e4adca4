//go:build cgo && unix

package palitra

// JSON with bytes behind it, as jobs take and return a Framed<T>: an image and how to scale it, a request and its body.

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Frame returns a payload: head as JSON, a line feed, the body. An error is encoding/json's.
func Frame(head any, body []byte) ([]byte, error) {
	framed, err := json.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("palitra: the head of a frame: %w", err)
	}
	return append(append(framed, '\n'), body...), nil
}

// Unframe reads the first line of a reply, which is JSON, into head, and returns the body behind it, a part of the
// reply. An error is encoding/json's.
func (r Reply) Unframe(head any) (body []byte, err error) {
	line, body, _ := bytes.Cut(r.Data, []byte{'\n'})
	if err := json.Unmarshal(line, head); err != nil {
		return nil, fmt.Errorf("palitra: the head of a frame: %w", err)
	}
	return body, nil
}
