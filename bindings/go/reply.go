package palitra

// What a job returned, in Go's memory.

/*
#include "native.h"
*/
import "C"

import (
	"encoding/json"
	"strings"
	"sync"
	"unsafe"
)

// Format is what the bytes of a payload or a reply are.
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

// Reply is the result of a job that succeeded, or an item that it streamed. The caller may keep and change it.
type Reply struct {
	Data   []byte
	Format Format
}

// String is the data as text.
func (r Reply) String() string { return string(r.Data) }

// Decode reads the data as JSON into v, as [json.Unmarshal] does.
func (r Reply) Decode(v any) error { return json.Unmarshal(r.Data, v) }

// exchange is what a call passes to C and what C returns. It is kept for the next call. It is on the heap, as is
// everything that C has a pointer to, because a callback to Go may move the stack.
type exchange struct {
	name   [64]byte
	filled C.palitra_go_reply
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// cName returns a job's name with a NUL behind it; nil for a name that has a NUL inside, which no job can have.
func (x *exchange) cName(name string) *C.char {
	if strings.IndexByte(name, 0) >= 0 {
		return nil
	}
	bytes := x.name[:]
	if len(name) >= len(bytes) {
		bytes = make([]byte, len(name)+1)
	}
	copy(bytes, name)
	bytes[len(name)] = 0
	return (*C.char)(unsafe.Pointer(&bytes[0]))
}

// receive returns the reply or error that is in the exchange, copied into Go's memory, and frees what was C's.
func (x *exchange) receive(job string, status C.palitra_status) (Reply, error) {
	var data, details []byte
	filled := &x.filled
	if filled.details != 0 {
		details = []byte(C.GoString(*(**C.char)(unsafe.Pointer(&filled.details))))
	}
	switch {
	case filled.owner != 0:
		// An address in C's memory, which the garbage collector does not know.
		data = append(data, unsafe.Slice(*(**byte)(unsafe.Pointer(&filled.data)), int(filled.len))...)
		C.palitra_go_free(filled)
	case filled.len > 0:
		data = append(data, unsafe.Slice((*byte)(&filled.small[0]), int(filled.len))...)
	}
	if Status(status) == StatusOK {
		return Reply{data, Format(filled.format)}, nil
	}
	return Reply{}, errorOf(job, Status(status), int32(filled.code), data, details)
}

// take returns the reply of a token and frees the token.
func take(job string, token C.palitra_token) (Reply, C.palitra_status, error) {
	x := exchanges.Get().(*exchange)
	defer exchanges.Put(x)
	status := C.palitra_go_take(token, &x.filled)
	reply, err := x.receive(job, status)
	return reply, status, err
}
