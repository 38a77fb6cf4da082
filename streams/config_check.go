package streams

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/run"
)

// ErrConfig is wrapped by every error about a Config.
var ErrConfig = errors.New("streams configuration")

// mostID is the longest id: Kafka Streams' names of internal topics add a store's name and a word,
// and a topic has 249 characters.
const mostID = 150

// validate says everything that is wrong with c.
func (c Config) validate() error {
	var problems []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			problems = append(problems, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
		}
	}
	wrong(c.ApplicationID == "", "ApplicationID is required")
	wrong(c.ApplicationID != "" && !isName(c.ApplicationID, mostID),
		"ApplicationID %q: it begins names of topics, so it has up to %d letters, digits, '.', '_' and '-'", c.ApplicationID, mostID)
	wrong(c.InstanceID != "" && !isName(c.InstanceID, mostID), "InstanceID %q has up to %d letters, digits, '.', '_' and '-'", c.InstanceID, mostID)
	wrong(c.DeadLetterTopic != "" && !isName(c.DeadLetterTopic, mostID), "DeadLetterTopic %q is no name of a topic", c.DeadLetterTopic)
	if err := c.Kafka.Validate(); err != nil {
		problems = append(problems, err)
	}
	wrong(c.Guarantee != ExactlyOnce && c.Guarantee != AtLeastOnce, "Guarantee %d is neither ExactlyOnce nor AtLeastOnce", c.Guarantee)
	wrong(c.Workers < 0, "Workers is negative")
	wrong(c.Standbys < 0, "Standbys is negative")
	wrong(c.AcceptableRecoveryLag < 0, "AcceptableRecoveryLag is negative")
	wrong(c.MaxWarmups < 0, "MaxWarmups is negative")
	problems = append(problems, c.checkTimes()...)
	wrong(c.MemoryBytes != 0 && c.MemoryBytes < run.MinMemory, "MemoryBytes is %d; at least %d are needed", c.MemoryBytes, int64(run.MinMemory))
	wrong(c.CacheBytes < 0, "CacheBytes is negative")
	total := cmp.Or(c.MemoryBytes, defaultMemory)
	wrong(c.CacheBytes > total/4, "CacheBytes is %d; it can be a quarter of MemoryBytes (%d)", c.CacheBytes, total)
	if c.Endpoint != "" {
		u, err := url.Parse(c.Endpoint)
		wrong(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "", "Endpoint %q is not a URL like http://10.0.0.7:8080/streams", c.Endpoint)
	}
	return errors.Join(problems...)
}

func (c Config) checkTimes() (problems []error) {
	d := c.withDefaults()
	wrong := func(is bool, format string, args ...any) {
		if is {
			problems = append(problems, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
		}
	}
	for name, t := range map[string]time.Duration{"CommitInterval": c.CommitInterval, "ProbeInterval": c.ProbeInterval, "CleanupDelay": c.CleanupDelay,
		"IdleWindowClose": c.IdleWindowClose, "SessionTimeout": c.SessionTimeout, "HeartbeatInterval": c.HeartbeatInterval, "TransactionTimeout": c.TransactionTimeout} {
		wrong(t < 0, "%s is negative", name)
	}
	wrong(c.CommitInterval > 0 && c.CommitInterval < shortestCommit, "CommitInterval is %s; at least %s", c.CommitInterval, shortestCommit)
	wrong(d.HeartbeatInterval*2 > d.SessionTimeout && c.SessionTimeout >= 0 && c.HeartbeatInterval >= 0,
		"HeartbeatInterval (%s) is more than half of SessionTimeout (%s)", d.HeartbeatInterval, d.SessionTimeout)
	wrong(d.Guarantee != AtLeastOnce && d.CommitInterval >= d.TransactionTimeout,
		"CommitInterval (%s) is not shorter than TransactionTimeout (%s)", d.CommitInterval, d.TransactionTimeout)
	return problems
}

func isName(s string, most int) bool { return len(s) <= most && kafka.CheckTopicName(s) == nil }

const (
	defaultMemory  = 128 << 20
	shortestCommit = time.Millisecond
)

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	c.CommitInterval = cmp.Or(c.CommitInterval, 100*time.Millisecond)
	c.Workers = cmp.Or(c.Workers, runtime.GOMAXPROCS(0))
	c.AcceptableRecoveryLag = cmp.Or(c.AcceptableRecoveryLag, 10_000)
	c.MaxWarmups = cmp.Or(c.MaxWarmups, 2)
	c.ProbeInterval = cmp.Or(c.ProbeInterval, 10*time.Minute)
	c.CleanupDelay = cmp.Or(c.CleanupDelay, 10*time.Minute)
	c.MemoryBytes = cmp.Or(c.MemoryBytes, defaultMemory)
	c.SessionTimeout = cmp.Or(c.SessionTimeout, 45*time.Second)
	c.HeartbeatInterval = cmp.Or(c.HeartbeatInterval, min(3*time.Second, c.SessionTimeout/3))
	c.TransactionTimeout = cmp.Or(c.TransactionTimeout, 10*time.Second)
	c.DeadLetterTopic = cmp.Or(c.DeadLetterTopic, c.ApplicationID+"-dead-letters")
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// stateDir is StateDir, or the user's cache folder.
func (c Config) stateDir() (string, error) {
	if c.StateDir != "" {
		return filepath.Abs(c.StateDir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: StateDir is required where the user has no cache folder: %w", ErrConfig, err)
	}
	return filepath.Join(dir, "pabal-streams"), nil
}

// runtime is what package run needs, complete.
func (c Config) runtime(t *Topology) (run.Config, error) {
	if err := c.validate(); err != nil {
		return run.Config{}, err
	}
	c = c.withDefaults()
	dir, err := c.stateDir()
	return run.Config{
		Topology: t.Plan(), ApplicationID: c.ApplicationID, InstanceID: c.InstanceID, Kafka: c.Kafka, StateDir: dir,
		ExactlyOnce: c.Guarantee == ExactlyOnce, CommitInterval: c.CommitInterval, Workers: c.Workers,
		Standbys: c.Standbys, AcceptableLag: c.AcceptableRecoveryLag, MaxWarmups: c.MaxWarmups, ProbeInterval: c.ProbeInterval,
		CleanupDelay: c.CleanupDelay, MaxTaskIdle: c.MaxTaskIdle, IdleWindowClose: c.IdleWindowClose, MemoryBytes: c.MemoryBytes, CacheBytes: c.CacheBytes,
		SessionTimeout: c.SessionTimeout, HeartbeatInterval: c.HeartbeatInterval, TransactionTimeout: c.TransactionTimeout,
		OnFailure: c.OnFailure, DeadLetterTopic: c.Kafka.Topic(c.DeadLetterTopic), OnUncaught: c.OnUncaught, OnState: c.OnState,
		Endpoint: strings.TrimSuffix(c.Endpoint, "/"), Clock: c.Clock, Logger: c.Logger.With("application", c.ApplicationID), Metrics: c.Metrics,
	}, err
}
