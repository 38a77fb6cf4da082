// Package server is what each request of Kafka's protocol means: it checks who asks,
// has node, coordinators, rules or credentials decide, and gives the answer.
package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/acl"
	"github.com/pabal-dev/pabal/kafka/broker/internal/group"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/sasl"
	"github.com/pabal-dev/pabal/kafka/broker/internal/txn"
	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// NodeID is the only broker's, which is the controller too.
const NodeID int32 = 1

// Config of a server. Node, Host and Port are required.
type Config struct {
	Node *node.Node
	// Host and Port are what clients are told to connect to.
	Host string
	Port int32

	// Dir is what DescribeLogDirs calls the data folder.
	Dir string
	// Passwords, unless empty, are set at the start, and each connection must
	// authenticate. Others are as clients have set them.
	Passwords  map[string]string
	ACLs       bool // access rules decide
	SuperUsers []string
	// FetchBytes bounds what is read for all fetches together; default 64 MiB.
	FetchBytes int64
	// MaxVersions, unless nil, has nothing newer be offered.
	MaxVersions *kversion.Versions
	// Intercept, unless nil, is asked about each request: a response that is not nil is
	// its answer, and it has no effect. delay is how much longer the answer takes.
	Intercept func(kmsg.Request) (resp kmsg.Response, delay time.Duration)
	Now       func() time.Time // default time.Now
	Logger    *slog.Logger     // default: none
}

// Server answers requests; it is a wire.Handler.
type Server struct {
	config Config
	node   *node.Node
	groups *group.Coordinator
	txns   *txn.Coordinator
	rules  *acl.Rules  // nil: everybody may do everything
	users  *sasl.Users // nil: nobody must say who it is
	// altering is held by one that reads, changes and writes settings.
	altering sync.Mutex
	leaving  atomic.Bool
	rarely   rarely
	settings settings
	fetching fetching
	timers   *timers
	all      sync.WaitGroup
}

// New builds what the node's logs remember and begins to serve it.
func New(c Config) (*Server, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{config: c, node: c.Node, timers: newTimers(c.Now), settings: readSettings(c.Node)}
	s.fetching.budget = wire.NewBudget(cmp.Or(c.FetchBytes, 64<<20))
	for _, step := range []func() error{s.startSecurity, s.startGroups, s.startTxns} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	s.all.Go(func() { s.timers.run(s.groups, s.txns) })
	return s, nil
}

// Drain answers requests that wait for other members of their groups, those too that are
// still to come: the server is about to stop.
func (s *Server) Drain() {
	s.leaving.Store(true)
	s.groups.Stop()
}

// Stop answers requests that wait for others, and ends what runs. The node is still
// open, and the caller's to close.
func (s *Server) Stop() {
	s.Drain()
	s.timers.stop()
	s.all.Wait()
}

// Tick does what is due now, for clocks that jump.
func (s *Server) Tick() { s.timers.wake() }

// Failed is why coordinators answer nothing more, nil while all is well.
func (s *Server) Failed() error {
	return errors.Join(s.node.Failed(), s.groups.Err(), s.txns.Err())
}

// Handle implements wire.Handler.
func (s *Server) Handle(ctx context.Context, c *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
	if s.config.Intercept != nil {
		resp, delay := s.config.Intercept(req)
		if delay > 0 {
			reply = delayed(reply, delay)
		}
		if resp != nil {
			resp.SetVersion(req.GetVersion())
			reply(resp)
			return
		}
	}
	if !s.admitted(c, req) {
		reply(nil)
		return
	}
	s.dispatch(ctx, c, req, reply)
}

func delayed(reply func(wire.Answer), delay time.Duration) func(wire.Answer) {
	return func(a wire.Answer) { time.AfterFunc(delay, func() { reply(a) }) }
}

// Closed implements wire.Handler.
func (s *Server) Closed(*wire.Conn) {}
