package palitra

// What a job left, in Go's memory.

/*
#include "native.h"
#cgo noescape palitra_reply_free
#cgo nocallback palitra_reply_free
*/
import "C"

import (
	"encoding/json"
	"unsafe"
)

// Format says what the bytes of a payload or a reply are.
type Format int32

// What bytes are.
const (
	Bytes Format = C.PALITRA_BYTES // Any bytes.
	Text  Format = C.PALITRA_TEXT  // UTF-8.
	JSON  Format = C.PALITRA_JSON  // One JSON value.
)

func (f Format) String() string {
	switch f {
	case Bytes:
		return "bytes"
	case Text:
		return "text"
	case JSON:
		return "json"
	}
	return "unknown"
}

// Reply is what a job that succeeded left, or an item that it streamed. It is the caller's to keep and change.
type Reply struct {
	Data   []byte
	Format Format
}

// String is the data as text.
func (r Reply) String() string { return string(r.Data) }

// Decode reads the data as JSON into v, as [json.Unmarshal] does.
func (r Reply) Decode(v any) error { return json.Unmarshal(r.Data, v) }

// receive copies a reply of C's into Go's memory and frees it.
func receive(job string, status C.palitra_status, reply *C.palitra_reply) (Reply, error) {
	var data []byte
	if reply.len > 0 {
		data = append(data, unsafe.Slice((*byte)(reply.data), int(reply.len))...)
	}
	result := Reply{data, Format(reply.format)}
	code := int32(reply.code)
	if reply.owner != nil {
		C.palitra_reply_free(reply)
	}
	if Status(status) == StatusOK {
		return result, nil
	}
	return Reply{}, errorOf(job, Status(status), code, data)
}
