// Package redis keeps read models in Redis 4 or later: a View is written by a
// projection whose offsets are in a database, at least once and idempotent by version.
//
// Redis is a copy, never the truth. While it is not to be had, or restarts, projections
// wait and go on by themselves. But it may forget what it has acknowledged: a flush, the
// last second before a crash (appendfsync everysec), a failover to a replica that
// lags, an eviction (set maxmemory-policy to noeviction). Nothing notices; what was
// forgotten comes back with the document's next event, or all of it when the projection
// is reset: View.Clear, then `pabal projections reset`.
package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Config of a connection; the zero value is usable.
type Config struct {
	// Timeout bounds every round trip; 10 s.
	Timeout time.Duration
	// Logger is slog.Default() where nil. What go-redis itself has to say goes to
	// standard error, see SetLogger there.
	Logger *slog.Logger
}

const defaultTimeout = 10 * time.Second

// DB is a pool of connections. It is safe for concurrent use.
type DB struct {
	client goredis.UniversalClient
	own    bool
}

// Open connects to "redis://user:password@host:port/number", "rediss://…" with TLS or
// "unix://…", and returns once it has answered. ctx bounds the opening only. Its errors
// never show the password.
func Open(ctx context.Context, url string, config Config) (*DB, error) {
	settings, err := goredis.ParseURL(url)
	if err != nil {
		// The error may quote a part of the URL.
		return nil, errors.New("redis: the connection string cannot be read (expected redis://user:password@host:port/number)")
	}
	switch {
	case config.Timeout < 0:
		return nil, fmt.Errorf("redis: Timeout is %s, it cannot be negative", config.Timeout)
	case config.Timeout == 0:
		config.Timeout = defaultTimeout
	}
	settings.DialTimeout, settings.ReadTimeout, settings.WriteTimeout = config.Timeout, config.Timeout, config.Timeout
	settings.ContextTimeoutEnabled, settings.DialerRetries = true, 1 // who asks tries again by himself
	db := &DB{client: goredis.NewClient(settings), own: true}
	if err := db.Ping(ctx); err != nil {
		_ = db.client.Close()
		return nil, fmt.Errorf("%w (at %s)", err, settings.Addr)
	}
	db.warn(ctx, config.Logger)
	return db, nil
}

// warn says where Redis is set up to forget.
func (db *DB) warn(ctx context.Context, log *slog.Logger) {
	if log == nil {
		log = slog.Default()
	}
	set, err := db.client.ConfigGet(ctx, "maxmemory*").Result()
	if err != nil {
		return // a user who may not ask
	}
	if policy := set["maxmemory-policy"]; set["maxmemory"] != "0" && policy != "" && policy != "noeviction" {
		log.Warn("redis: documents of read models disappear when its memory is full, set maxmemory-policy to noeviction", "policy", policy)
	}
}

// New is for a client of the user's own, such as that of a cluster or of sentinels. The
// user closes it.
func New(client goredis.UniversalClient) *DB { return &DB{client: client} }

// Client is the client below.
func (db *DB) Client() goredis.UniversalClient { return db.client }

// Ping checks that Redis answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis: ping: %w", err)
	}
	return nil
}

// Close closes the connections, unless the client is the user's.
func (db *DB) Close() error {
	if !db.own {
		return nil
	}
	if err := db.client.Close(); err != nil && !errors.Is(err, goredis.ErrClosed) {
		return fmt.Errorf("redis: close: %w", err)
	}
	return nil
}

// faulty says that the document is to blame: its key has another type, or it is too
// large. All other errors are about Redis: no connection, loading, read-only, out of
// memory, no permission.
func faulty(err error) bool {
	var answer goredis.Error
	return errors.As(err, &answer) && slices.ContainsFunc(faults, func(text string) bool { return strings.Contains(answer.Error(), text) })
}

var faults = []string{"WRONGTYPE", "exceeds maximum allowed size", "invalid bulk length"}
