// Package fleet knows the services that announced themselves, and asks them.
//
// Whoever may write to the topic can announce anything, so an announcement is
// never trusted: only loopback addresses and those of the allow list are called,
// what comes back is bounded, and a service must answer under the name it gave.
package fleet

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
)

// Config of a Fleet; its zero value asks services on loopback.
type Config struct {
	// Allow names what may be called beside loopback: host names, IP addresses
	// and networks (10.0.0.0/8). A host name that is listed may have any address
	// but a link-local one; one that is not must have an address in a listed
	// network.
	Allow []string
	// Token is sent to every service that is called; none where empty.
	Token string
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
	// Now is time.Now where nil.
	Now func() time.Time
	// Resolve looks a host name up; the system's resolver where nil.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Fleet is api.Services. It is a lifecycle.Service.
type Fleet struct {
	cluster  kafka.Config
	cfg      Config
	allow    allowList
	registry registry
	http     *http.Transport

	mu      sync.Mutex
	running context.Context // nil before Start
	stop    context.CancelFunc
	work    sync.WaitGroup
	last    *round
}

var (
	_ lifecycle.Service = (*Fleet)(nil)
	_ api.Services      = (*Fleet)(nil)
)

// New checks the configuration; an error wraps api.ErrInvalid or kafka.ErrConfig.
// Nothing is connected before Start.
func New(cluster kafka.Config, c Config) (*Fleet, error) {
	if err := cluster.Validate(); err != nil {
		return nil, err
	}
	allow, err := parseAllow(c.Allow)
	if err != nil {
		return nil, err
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Resolve == nil {
		c.Resolve = resolve
	}
	f := &Fleet{cluster: cluster, cfg: c, allow: allow}
	f.registry = registry{allow: allow, log: c.Logger, all: map[string]instance{}}
	f.http = &http.Transport{ // no proxy: it would be called instead
		DialContext: f.dial, TLSHandshakeTimeout: askTimeout, MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost: 2, MaxIdleConns: 2 * maxAsked, IdleConnTimeout: time.Minute, DisableCompression: true,
	}
	return f, nil
}

// Start reads the announcements from now on; it does not wait for Kafka.
func (f *Fleet) Start(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running != nil {
		return errors.New("the fleet runs already")
	}
	f.running, f.stop = context.WithCancel(context.Background())
	ctx := f.running
	f.work.Go(func() { f.tail(ctx) })
	return nil
}

// Stop ends what is under way.
func (f *Fleet) Stop(context.Context) error {
	f.mu.Lock()
	if f.running == nil {
		f.mu.Unlock()
		return nil
	}
	f.stop()
	f.running, f.last = nil, nil
	f.mu.Unlock()
	f.work.Wait() // all of it ends with the context
	f.http.CloseIdleConnections()
	return nil
}

func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}
