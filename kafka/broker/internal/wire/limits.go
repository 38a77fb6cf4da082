package wire

import (
	"cmp"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// smallRequest and below take nothing of Limits.BufferBytes, so that who only
	// sends these never waits.
	smallRequest = 4 << 10
	// unknownBytes bounds requests of who has not authenticated, and takes nothing of what
	// others share.
	unknownBytes = smallRequest
	// largeRequest and above share half of it, so that they do not keep out the others.
	largeRequest = 2 << 20
	// answerChunk is what a client must read within Limits.Answer.
	answerChunk = 1 << 20
	// requestChunk is what it must send within Limits.Request.
	requestChunk = 8 << 20
	// encodedAtOnce bounds the bytes of answers encoded before they are written.
	encodedAtOnce = 64 << 10
)

func (l Limits) withDefaults() Limits {
	l.Connections = cmp.Or(l.Connections, 4096)
	l.RequestBytes = cmp.Or(l.RequestBytes, 32<<20)
	l.PlainBytes = cmp.Or(l.PlainBytes, 1<<20)
	l.BufferBytes = cmp.Or(l.BufferBytes, 128<<20)
	l.BufferBytes = max(l.BufferBytes, 2*int64(max(l.RequestBytes, 4*l.PlainBytes)))
	l.Pipelined = cmp.Or(l.Pipelined, 64)
	l.PipelinedBytes = cmp.Or(l.PipelinedBytes, 8<<20)
	l.Idle = cmp.Or(l.Idle, 15*time.Minute)
	l.Request = cmp.Or(l.Request, 30*time.Second)
	l.Answer = cmp.Or(l.Answer, 30*time.Second)
	l.Unknown = cmp.Or(l.Unknown, 10*time.Second)
	return l
}

// bytesOf is the most bytes of a request of one kind.
func (l Limits) bytesOf(key int16) int {
	switch kmsg.Key(key) {
	case kmsg.Produce:
		return l.RequestBytes
	case kmsg.SyncGroup:
		return 4 * l.PlainBytes
	}
	return l.PlainBytes
}
