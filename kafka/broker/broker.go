// Package broker serves the Kafka protocol in process: one node, for laptops,
// tests and demos. Unmodified Kafka clients work with it.
//
// It promises no more than Durability says: in memory, everything is gone when
// the process ends; with a data folder it survives clean restarts, not crashes.
// Data you need belongs in Apache Kafka. Today it stands on franz-go's kfake,
// which shows nowhere in this package.
//
// It serves producers (idempotent, transactional), consumers, consumer groups
// (static members, cooperative rebalancing) and the administration of topics
// and groups. It has no authentication, access control, quotas or share groups,
// does not offer them, and listens on the loopback interface only.
//
// Records stay until they or their topic are deleted: retention.ms,
// retention.bytes and cleanup.policy are accepted and shown, but nothing goes by
// age, size or compaction.
//
// Requests are checked before kfake, which some would bring down, sees them.
// One that is too large, unknown or malformed ends its own connection, with a
// line in the log, and disturbs nobody else.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Errors of Start.
var (
	// ErrAddr: the address is in use or cannot be listened on.
	ErrAddr = errors.New("cannot listen")
	// ErrFolderInUse: another broker has the data folder.
	ErrFolderInUse = errors.New("folder is in use by another broker")
)

// Broker runs from Start to Stop.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	id      string
	dataDir string
	folder  *folder
	guard   *guard
	log     *kfakeLogger
	stop    sync.Once
	stopErr error
}

// Start serves until Stop. Its errors wrap ErrAddr or ErrFolderInUse where it
// is that; nothing runs then. ctx is not used after Start returned.
func Start(ctx context.Context, c Config) (*Broker, error) {
	c = c.withDefaults()
	listener, err := listen(ctx, c)
	if err != nil {
		return nil, err
	}
	b := &Broker{
		addr:    listener.Addr().String(),
		dataDir: c.DataDir,
		guard:   newGuard(listener, c, defaultLimits),
		log:     &kfakeLogger{to: c.Logger},
	}
	if err := b.openFolder(c.DataDir); err != nil {
		listener.Close()
		return nil, err
	}
	if b.cluster, err = newCluster(b.options(c)); err != nil {
		listener.Close()
		b.folder.close()
		return nil, b.explain(err)
	}
	return b, nil
}

// newCluster turns a panic over damaged files into an error.
func newCluster(opts []kfake.Opt) (cluster *kfake.Cluster, err error) {
	defer func() {
		if p := recover(); p != nil {
			cluster, err = nil, fmt.Errorf("damaged: %v", p)
		}
	}()
	return kfake.NewCluster(opts...)
}

func (b *Broker) explain(err error) error {
	if b.folder != nil {
		return fmt.Errorf("data folder %s cannot be read: %w; choose another folder", b.dataDir, err)
	}
	return fmt.Errorf("start the in-process broker: %w", err)
}

func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = DefaultAddr
	}
	if c.Partitions == 0 {
		c.Partitions = 4
	}
	if c.MaxRequestBytes == 0 {
		c.MaxRequestBytes = 32 << 20
	}
	if c.MinSessionTimeout == 0 {
		c.MinSessionTimeout = 6 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = c.Logger.With("component", "broker")
	return c
}

// listen takes the port before anything else is touched.
func listen(ctx context.Context, c Config) (net.Listener, error) {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return nil, fmt.Errorf("%w on %q: not host:port", ErrAddr, c.Addr)
	}
	// kfake tells its clients the address it listens on, and knows 127.0.0.1 only.
	if host != "127.0.0.1" && host != "localhost" {
		return nil, fmt.Errorf("%w on %s: the in-process broker serves 127.0.0.1 only; use Apache Kafka for others", ErrAddr, c.Addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return nil, fmt.Errorf("%w on %q: %q is not a port", ErrAddr, c.Addr, port)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, fmt.Errorf("%w on %s: %w", ErrAddr, c.Addr, err)
	}
	return l, nil
}

func (b *Broker) openFolder(dir string) error {
	if dir == "" {
		b.id = newClusterID()
		return nil
	}
	f, err := openFolder(dir)
	if err != nil {
		return err
	}
	b.folder, b.id = f, f.clusterID
	return nil
}

func (b *Broker) options(c Config) []kfake.Opt {
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ClusterID(b.id),
		kfake.DefaultNumPartitions(c.Partitions),
		kfake.GroupMinSessionTimeout(c.MinSessionTimeout),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return b.guard, nil }),
		kfake.WithLogger(b.log),
		kfake.BrokerConfigs(settings()),
	}
	if !c.NoAutoCreate {
		opts = append(opts, kfake.AllowAutoTopicCreation())
	}
	if b.folder != nil {
		opts = append(opts, kfake.DataDir(b.folder.logs()))
	}
	return opts
}

// settings differ from kfake's own. Its cleaner loses live records: it compacts
// past open transactions, and one old timestamp expires newer records. So it
// does not run; nothing goes by age or size here.
func settings() map[string]string {
	return map[string]string{
		"log.cleaner.backoff.ms":     "2147483647",
		"log.retention.ms":           "-1",
		"default.replication.factor": "1",
		"fetch.max.bytes":            strconv.Itoa(maxFetchBytes),
	}
}

// Addr is the host:port clients connect to.
func (b *Broker) Addr() string { return b.addr }

// ClusterID is random per run, or per folder where there is one.
func (b *Broker) ClusterID() string { return b.id }

// Durability says in one sentence what outlives what.
func (b *Broker) Durability() string {
	if b.dataDir == "" {
		return "in memory: everything is gone when this process ends"
	}
	return "kept in " + b.dataDir + ": survives restarts, not crashes; use Apache Kafka for data you need"
}

// Stop closes every connection, writes the log down where it has a folder, and
// releases port and folder. Its error says what could not be written. Stopping
// twice does nothing more. It does not wait for ctx: writing down must not stop
// half-way.
func (b *Broker) Stop(context.Context) error {
	b.stop.Do(func() {
		b.log.keepErrors()
		b.cluster.Close()
		b.guard.closeConnections()
		b.folder.close()
		b.stopErr = b.log.kept()
	})
	return b.stopErr
}
