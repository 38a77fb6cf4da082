package broker

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var (
	invalidRequest = kerr.InvalidRequest.Code
	nullString     = []byte{0xff, 0xff}
)

// edits are changes to answers that are still to come, by correlation id.
// Answers leave in the order of their requests, so what the guard answers
// itself goes through kfake as a harmless request.
type edits struct {
	mu sync.Mutex
	by map[int32]func([]byte) []byte
}

// mostEdits in waiting; kfake serves one request of a connection after another.
const mostEdits = 16

func (e *edits) add(request []byte, edit func([]byte) []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.by) >= mostEdits {
		return refusal("too many requests came that need an answer")
	}
	if e.by == nil {
		e.by = map[int32]func([]byte) []byte{}
	}
	e.by[correlationID(request)] = edit
	return nil
}

// apply returns the answer to send. It begins with its size.
func (e *edits) apply(answer []byte) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.by) == 0 || len(answer) < 8 {
		return answer
	}
	id := int32(binary.BigEndian.Uint32(answer[4:]))
	edit, ok := e.by[id]
	if !ok {
		return answer
	}
	delete(e.by, id)
	return edit(answer)
}

func correlationID(request []byte) int32 {
	return int32(binary.BigEndian.Uint32(request[4:]))
}

// answer makes resp the answer to request.
func (c *guardedConn) answer(request []byte, resp kmsg.Response) error {
	ready := encode(correlationID(request), resp)
	if err := c.edits.add(request, func([]byte) []byte { return ready }); err != nil {
		return err
	}
	binary.BigEndian.PutUint16(request, uint16(kmsg.ApiVersions))
	binary.BigEndian.PutUint16(request[2:], 0)
	copy(request[smallestRequest:], nullString) // client id
	return nil
}

func encode(id int32, resp kmsg.Response) []byte {
	out := binary.BigEndian.AppendUint32(make([]byte, 4), uint32(id))
	if resp.IsFlexible() && resp.Key() != int16(kmsg.ApiVersions) {
		out = append(out, 0) // no tags
	}
	out = resp.AppendTo(out)
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out
}

// plainest is an ApiVersions request of the last known version, after the
// correlation id: null client id, no tags, two empty strings, no cluster, no
// node, no tags.
var plainest = []byte{0xff, 0xff, 0, 1, 1, 0, 0, 0, 0, 0, 0}

// fromTheFuture rewrites an ApiVersions request whose version nobody knows yet,
// so that kfake can read it and answers UNSUPPORTED_VERSION with the versions it
// knows (KIP-511).
func fromTheFuture(request []byte) error {
	if len(request) < smallestRequest+len(plainest) {
		return refusal("a malformed ApiVersions request came")
	}
	copy(request[smallestRequest:], plainest)
	return nil
}

// namesVersions leaves out of an ApiVersions answer what is not served here.
func (c *guardedConn) namesVersions(request []byte, version int16) error {
	return c.edits.add(request, func(answer []byte) []byte {
		resp := kmsg.NewPtrApiVersionsResponse()
		resp.SetVersion(version)
		if err := resp.ReadFrom(answer[8:]); err != nil || resp.ErrorCode != 0 {
			return answer // an error is answered in version 0
		}
		resp.ApiKeys = slices.DeleteFunc(resp.ApiKeys, func(k kmsg.ApiVersionsResponseApiKey) bool { return !served(k.ApiKey) })
		for i := range resp.ApiKeys {
			k := &resp.ApiKeys[i]
			k.MaxVersion = min(k.MaxVersion, maxVersion(kmsg.RequestForKey(k.ApiKey)))
		}
		return encode(correlationID(answer), resp)
	})
}
