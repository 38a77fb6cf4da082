// Package wire serves connections of Kafka's protocol: it reads requests within limits,
// has a handler answer them, and writes the answers in order.
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
	RequestBytes   int           // of one request; default 32 MiB
	BufferBytes    int64         // of all requests being read or answered together; default 128 MiB
	Pipelined      int           // Produce requests of one connection at a time; default 64
	PipelinedBytes int           // bytes of them; default 8 MiB, at least one request
	Idle           time.Duration // between requests; default 15 min
	Request        time.Duration // for one request, once it began; default 30 s
	Answer         time.Duration // for each MiB of an answer; default 30 s
	Unknown        time.Duration // until a connection has authenticated, where it must; default 10 s
}

// API is a request that is served, in these versions.
type API struct{ Key, Min, Max int16 }

// Config of a server.
type Config struct {
	Limits  Limits
	APIs    []API
	TLS     *tls.Config // nil: plain
	Handler Handler
	Now     func() time.Time
	Logger  *slog.Logger
}

// Handler answers requests. It may block, until ctx ends. Requests of one connection
// come one after another, each when the one before it was answered, except that Produce
// requests come while earlier Produce requests wait for their answers. req and the bytes
// it refers to are valid until Handle returns; reply is called once, then or later, from
// any goroutine, and does not block. After reply(nil) the connection ends without an
// answer, with reply(NoAnswer) it goes on without one (acks=0).
type Handler interface {
	Handle(ctx context.Context, c *Conn, req kmsg.Request, reply func(Answer))
	// Closed says that a connection is gone.
	Closed(c *Conn)
}

// Answer is a response: kmsg's, or one that has bytes to send without a copy.
type Answer interface{}

// Conn is a client's connection, as handlers see it.
type Conn struct {
	Remote   net.Addr
	Host     string // without the port
	ClientID string // of the last request
	Software string // name and version, where the client has said
	// Principal is who the client is: "User:ANONYMOUS" until somebody else. The
	// handler sets it.
	Principal string
	// State is the handler's.
	State any
}
