// Package wire serves connections of Kafka's protocol: it reads requests within limits,
// has a handler answer them, and writes the answers in order.
//
// Each connection has a goroutine that reads and one that writes. Produce requests are
// handled by the one that reads, so that the next is read while the earlier ones become
// durable; it sends the answer, too, where that is there at once and the next one to send.
// All others are handled by the one that writes, when every earlier answer is out. So
// requests of a connection are never handled at the same time, and a connection that is
// gone is noticed while its request waits.
package wire

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Limits on what clients may hold. Zero values are the defaults.
type Limits struct {
	Connections    int           // at a time; default 4096
	RequestBytes   int           // of one Produce request; default 32 MiB
	PlainBytes     int           // of one other request; default 1 MiB, SyncGroup four times that
	BufferBytes    int64         // of all requests being read or handled together; default 128 MiB
	Pipelined      int           // Produce requests of one connection at a time; default 64
	PipelinedBytes int           // bytes of them; default 8 MiB, at least one request
	Idle           time.Duration // between requests; default 15 min
	Request        time.Duration // for each 8 MiB of a request, once it began; default 30 s
	Answer         time.Duration // for each MiB of an answer; default 30 s
	Unknown        time.Duration // until a connection has authenticated, where it must, and for TLS; default 10 s
}

// API is a request that is served, in these versions.
type API struct{ Key, Min, Max int16 }

// Feature is what ApiVersions tells of a feature: the levels supported, and the one
// that is in force. Clients use the transactions of KIP-890 where transaction.version
// is 2.
type Feature struct {
	Name            string
	Min, Max, Level int16
}

// Config of a server.
type Config struct {
	Limits Limits
	// APIs that are served. ApiVersions is answered here, whether among them or not.
	APIs     []API
	Features []Feature
	TLS      *tls.Config // nil: plain
	// Authenticate has connections end that have not called Conn.Authenticated in
	// Limits.Unknown, and bounds their requests to 4 KiB until then.
	Authenticate bool
	Handler      Handler
	Now          func() time.Time // default time.Now
	Logger       *slog.Logger     // default: none
}

// Handler answers requests. It may block, until ctx ends: when the connection or the
// server does, and then an answer given soon is still sent if it can be. Requests of one
// connection come one after another, each when the one before it was answered, except
// that Produce requests come while earlier Produce requests wait for their answers. req
// and the bytes it refers to are valid until Handle returns where it is a Produce
// request, and stay valid otherwise. reply is called once, then or later, from any
// goroutine, and does not block. After reply(nil) the connection ends without an answer,
// with reply(NoAnswer) it goes on without one (acks=0).
type Handler interface {
	Handle(ctx context.Context, c *Conn, req kmsg.Request, reply func(Answer))
	// Closed says that a connection is gone. Its last request has been handled.
	Closed(c *Conn)
}

// Answer is a response: kmsg's, in the version of its request, or a Spliced one.
type Answer interface {
	AppendTo([]byte) []byte
	IsFlexible() bool
}

// NoAnswer is for requests that want none.
var NoAnswer Answer = noAnswer{}

type noAnswer struct{}

func (noAnswer) AppendTo(b []byte) []byte { return b }
func (noAnswer) IsFlexible() bool         { return false }

// Spliced is an answer whose bytes are sent from where they are.
type Spliced struct {
	// Parts are the body of the response, one after another.
	Parts    net.Buffers
	Flexible bool
	// Release, unless nil, is called once, when the answer was sent or cannot be.
	Release func()
}

// AppendTo adds a copy of all parts to b.
func (s *Spliced) AppendTo(b []byte) []byte {
	for _, part := range s.Parts {
		b = append(b, part...)
	}
	return b
}

// IsFlexible says whether the response has tags.
func (s *Spliced) IsFlexible() bool { return s.Flexible }

func release(a Answer) {
	if s, ok := a.(*Spliced); ok && s != nil && s.Release != nil {
		s.Release()
	}
}
