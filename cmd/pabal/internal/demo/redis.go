package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/pabal-dev/pabal/examples/hello"
	"github.com/pabal-dev/pabal/internal/invariants"
)

// redisServer has the copies of tables: a given one, or one in this process.
type redisServer struct {
	url    string
	mini   *miniredis.Miniredis // nil where one is given
	client *goredis.Client
}

const redisTimeout = 10 * time.Second

// What Redis refuses is an error here, or a problem of the copy: go-redis prints it as well, on
// standard error, again and again.
func init() { goredis.SetLogger(quietRedis{}) }

type quietRedis struct{}

func (quietRedis) Printf(context.Context, string, ...any) {}

// startRedis starts one where none is given, and looks whether it answers.
func startRedis(ctx context.Context, o Options) (*redisServer, error) {
	r := &redisServer{url: o.redisURL()}
	if r.url == "" {
		r.mini = miniredis.NewMiniRedis()
		if err := r.mini.StartAddr("127.0.0.1:0"); err != nil {
			return nil, fmt.Errorf("start Redis in process: %w", err)
		}
		r.url = "redis://" + r.mini.Addr()
	}
	options, err := goredis.ParseURL(r.url)
	if err != nil {
		return nil, errors.New("--redis cannot be read") // the error may quote a password
	}
	r.client = goredis.NewClient(options)
	bounded, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	if err := r.client.Ping(bounded).Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("redis at %s: %w", options.Addr, err), r.close(ctx))
	}
	return r, nil
}

func (r *redisServer) close(context.Context) error {
	err := r.client.Close()
	if r.mini != nil {
		r.mini.Close()
	}
	return err
}

// copyOf is what Redis has of the table of hello, by persistence id: of the keys in the topic,
// and those of this run that are not in it; in process, of all.
func (r *redisServer) copyOf(ctx context.Context, table invariants.HelloTable, run string) (map[string]string, error) {
	keys := map[string]bool{}
	for key := range table.Values {
		keys[key] = true
	}
	for key := range table.Deleted {
		keys[key] = true
	}
	pattern := hello.Store + ":*"
	if r.mini == nil {
		pattern += "|" + run + ".*"
	}
	for at := r.client.Scan(ctx, 0, pattern, 1000).Iterator(); ; {
		if !at.Next(ctx) {
			if err := at.Err(); err != nil {
				return nil, fmt.Errorf("scan Redis: %w", err)
			}
			break
		}
		keys[strings.TrimPrefix(at.Val(), hello.Store+":")] = true
	}
	return r.values(ctx, keys)
}

func (r *redisServer) values(ctx context.Context, keys map[string]bool) (map[string]string, error) {
	found := map[string]string{}
	var batch []string
	read := func() error {
		if len(batch) == 0 {
			return nil
		}
		full := make([]string, len(batch))
		for i, key := range batch {
			full[i] = hello.Store + ":" + key
		}
		got, err := r.client.MGet(ctx, full...).Result()
		for i, value := range got {
			if text, ok := value.(string); ok {
				found[batch[i]] = text
			}
		}
		batch = batch[:0]
		return err
	}
	for key := range keys {
		if batch = append(batch, key); len(batch) == 500 {
			if err := read(); err != nil {
				return nil, fmt.Errorf("read Redis: %w", err)
			}
		}
	}
	if err := read(); err != nil {
		return nil, fmt.Errorf("read Redis: %w", err)
	}
	return found, nil
}

// syncOf names the copying of a run, so that runs on one Redis know nothing of each other.
func syncOf(run string) string { return "hello-redis-" + run }

// drop removes what a run left on a given one.
func (r *redisServer) drop(ctx context.Context, run string, log *slog.Logger) error {
	if r.mini != nil {
		return nil
	}
	var failed error
	keys := r.client.Scan(ctx, 0, hello.Store+":*|"+run+".*", 1000).Iterator()
	for keys.Next(ctx) {
		failed = errors.Join(failed, r.client.Del(ctx, keys.Val()).Err())
	}
	positions := "pabal:sink:{" + hello.Store + "}"
	fields, err := r.client.HKeys(ctx, positions).Result()
	for _, field := range fields {
		if strings.HasPrefix(field, syncOf(run)+"/") {
			failed = errors.Join(failed, r.client.HDel(ctx, positions, field).Err())
		}
	}
	if failed = errors.Join(failed, keys.Err(), err); failed != nil {
		log.Warn("remove the copy in Redis", "error", failed)
		return fmt.Errorf("remove the copy in Redis: %w", failed)
	}
	return nil
}

// redisURL is "" where none is given.
func (o Options) redisURL() string {
	if o.Redis == "" || strings.Contains(o.Redis, "://") {
		return o.Redis
	}
	return "redis://" + o.Redis
}

// redisName is what the report calls it, "" where nobody uses one.
func (o Options) redisName() string {
	switch {
	case !o.usesRedis():
		return ""
	case o.Redis == "":
		return "embedded"
	}
	return redact(o.redisURL())
}

func (o Options) usesRedis() bool {
	for _, each := range o.chosen() {
		if each.redis {
			return true
		}
	}
	return false
}

func (o Options) validateRedis() error {
	if o.Redis == "" {
		return nil
	}
	if !o.usesRedis() {
		return usage("--redis=%s: the scenario has no use for it, hello has", redact(o.redisURL()))
	}
	if host, _, err := net.SplitHostPort(o.Redis); err == nil && host != "" && !strings.Contains(o.Redis, "/") {
		return nil
	}
	if _, err := goredis.ParseURL(o.redisURL()); err != nil {
		return usage("--redis: expected HOST:PORT or redis://user:password@host:port/number")
	}
	return nil
}
