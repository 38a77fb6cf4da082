// Package broker serves the Kafka protocol in process: one node, crash-safe, for laptops,
// tests, demos and small installations. Unmodified Kafka clients work with it. A cluster
// is Apache Kafka, with no change of code.
//
// With a data folder what it has acknowledged survives what Durability says: a power cut
// (the default), or a kill of the process. In memory it starts in milliseconds, and
// everything is gone when the process ends.
//
// It serves producers, also idempotent and transactional ones, consumers, groups of the
// classic protocol, administrators, TLS, SASL and access rules. It does not serve the
// group protocol of KIP-848, quotas and share groups, and does not offer them.
//
// A request that is too large, unknown or malformed ends its own connection, with a line
// in the log, and disturbs nobody else.
package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/server"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
)

// Errors of Start.
var (
	// ErrAddr: the address is in use or cannot be listened on.
	ErrAddr = errors.New("cannot listen")
	// ErrFolderInUse: another broker has the data folder.
	ErrFolderInUse = errors.New("folder is in use by another broker")
	// ErrConfig: a setting cannot be.
	ErrConfig = errors.New("broker configuration")
)

// Broker runs from Start to Stop.
type Broker struct {
	config  Config
	addr    string
	started time.Time
	node    *node.Node
	server  *server.Server
	wire    *wire.Server
	stop    sync.Once
	stopErr error
}

// Start serves until Stop. Its errors wrap ErrAddr, ErrFolderInUse or ErrConfig where it
// is that; nothing runs then. ctx is not used after Start returned.
func Start(ctx context.Context, c Config) (*Broker, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	listener, err := listen(ctx, c) // the port before anything else is touched
	if err != nil {
		return nil, err
	}
	b := &Broker{config: c, addr: listener.Addr().String(), started: c.Now()}
	if err := b.open(ctx, listener); err != nil {
		listener.Close()
		return nil, err
	}
	return b, nil
}

func (b *Broker) open(ctx context.Context, listener net.Listener) (err error) {
	if b.node, err = openNode(ctx, b.config); err != nil {
		return err
	}
	host, port, err := advertised(b.config, listener.Addr())
	if err == nil {
		b.server, err = server.New(b.serverConfig(host, port))
	}
	if err != nil {
		return errors.Join(err, b.node.Close())
	}
	b.wire = wire.Serve(listener, b.wireConfig())
	b.config.Faults.of(b)
	return nil
}

func openNode(ctx context.Context, c Config) (*node.Node, error) {
	o := node.Options{
		FS: vfs.NewMemory(), Dir: "memory", Partitions: c.Partitions, MaxPartitions: c.MaxPartitions,
		Settings: c.settings(), Now: c.Now, Logger: c.Logger,
	}
	mode, err := commit.ParseMode(string(c.Durability))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	o.Durability = mode
	if c.DataDir != "" {
		o.FS, o.Dir = vfs.OS, filepath.ToSlash(c.DataDir)
		if c.Faults != nil {
			o.FS = faultyFS{vfs.OS, c.Faults}
		}
	}
	n, err := node.Open(ctx, o)
	if errors.Is(err, vfs.ErrLocked) {
		return nil, fmt.Errorf("%w: %w; stop that one or choose another folder", ErrFolderInUse, err)
	}
	if err != nil {
		return nil, fmt.Errorf("start the broker: %w", err)
	}
	return n, nil
}

func (b *Broker) serverConfig(host string, port int32) server.Config {
	c := b.config
	sc := server.Config{
		Node: b.node, Host: host, Port: port, Dir: c.DataDir,
		FetchBytes: c.MaxBufferBytes / 2, Passwords: c.Users, ACLs: c.ACLs, SuperUsers: c.SuperUsers, Now: c.Now, Logger: c.Logger,
	}
	if c.Faults != nil {
		sc.MaxVersions, sc.Intercept = c.Faults.MaxVersions, c.Faults.intercept
	}
	return sc
}

// settings are those of the config that have a name of Kafka's, too, which goes before.
func (c Config) settings() map[string]string {
	all := map[string]string{"auto.create.topics.enable": strconv.FormatBool(!c.NoAutoCreate)}
	if c.MinSessionTimeout > 0 {
		all["group.min.session.timeout.ms"] = milliseconds(c.MinSessionTimeout)
	}
	if c.InitialRebalanceDelay > 0 {
		all["group.initial.rebalance.delay.ms"] = milliseconds(c.InitialRebalanceDelay)
	}
	maps.Copy(all, c.Settings)
	return all
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(max(d.Milliseconds(), 1), 10) }

func (b *Broker) wireConfig() wire.Config {
	c := b.config
	return wire.Config{
		Limits: wire.Limits{
			Connections: c.MaxConnections, RequestBytes: c.MaxRequestBytes, BufferBytes: c.MaxBufferBytes,
		},
		APIs: b.server.APIs(), Features: b.server.Features(), TLS: c.TLS, Authenticate: len(c.Users) > 0,
		Handler: b.server, Now: c.Now, Logger: c.Logger,
	}
}

// Addr is the host:port it listens on.
func (b *Broker) Addr() string { return b.addr }

// ClusterID is random per run, or per folder where there is one.
func (b *Broker) ClusterID() string { return b.node.ClusterID() }

// Durability says in one sentence what outlives what.
func (b *Broker) Durability() string {
	return b.config.Durability.sentence(b.config.DataDir)
}

func (d Durability) sentence(dir string) string {
	switch d {
	case Fsync:
		return "kept in " + dir + ": acknowledged records survive crashes and power cuts"
	case OS:
		return "kept in " + dir + ": acknowledged records survive crashes of this program; a power cut may take the last seconds"
	}
	return "in memory: everything is gone when this process ends"
}

// stopTime is how long requests under way may take to be answered at the stop.
const stopTime = 10 * time.Second

// Stop has requests under way answered, closes every connection, writes down what is
// to be kept, and releases port and folder. Its error says what could not be written.
// Stopping twice does nothing more. It does not wait for ctx: writing down must not stop
// half-way.
func (b *Broker) Stop(context.Context) error {
	b.stop.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		b.server.Drain()
		_ = b.wire.Close(ctx) // who did not take an answer in time asks again
		b.server.Stop()
		b.stopErr = b.node.Close()
	})
	return b.stopErr
}

// Kill stops as a crash of the process does: nothing more is written or answered. What
// was acknowledged is there when the folder is opened again. For tests.
func (b *Broker) Kill() {
	b.stop.Do(func() {
		b.node.Kill()
		b.wire.Kill()
		b.server.Stop()
	})
}
