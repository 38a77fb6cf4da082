// Package audit remembers who did what, in a file of JSON lines that is only
// appended to. An entry is on the disk before the act it tells of goes on: where it
// cannot be written, Record fails and the act is refused.
package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// Config of a Log; zero values are the defaults named.
type Config struct {
	// Path of the file; its folder must exist. "" keeps the latest MaxEntries in
	// memory.
	Path string
	// MaxBytes is when the file is set aside as Path.1 and a new one begun; 32 MiB.
	MaxBytes int64
	// Keep is how many files that were set aside are kept; 8.
	Keep int
	// MaxEntries bounds the memory without a file; 10,000.
	MaxEntries int
	// Logger; nil is slog.Default().
	Logger *slog.Logger
}

// Log is an audit log. Its methods may be called concurrently. One process has the
// file open at a time.
type Log struct {
	config Config
	open   func(path string) (file, error) // another one in tests

	mu     sync.Mutex
	memory ring
	file   file // nil in memory, and after Close
	size   int64
	torn   bool // the file's last line has no end
	closed bool
}

var _ api.Audit = (*Log)(nil)

// Open opens a log with the defaults; see OpenConfig.
func Open(path string) (*Log, error) { return OpenConfig(Config{Path: path}) }

// OpenConfig opens the file, or creates it for its owner alone. A last line that a
// crash cut off stays and is reported; the next entry begins a new one. Close it.
func OpenConfig(c Config) (*Log, error) { return open(c, openFile) }

func open(c Config, opener func(string) (file, error)) (*Log, error) {
	setDefault(&c.MaxBytes, 32<<20)
	setDefault(&c.Keep, 8)
	setDefault(&c.MaxEntries, 10_000)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	l := &Log{config: c, open: opener, memory: ring{most: c.MaxEntries}}
	if c.Path == "" {
		return l, nil
	}
	if err := l.begin(); err != nil {
		return nil, fmt.Errorf("open audit log %s: %w", c.Path, err)
	}
	if l.torn {
		c.Logger.Warn("the audit log's last entry was cut off, as by a crash; it is kept as it is", "file", c.Path)
	}
	return l, nil
}

func setDefault[V int | int64](field *V, value V) {
	if *field <= 0 {
		*field = value
	}
}

// Torn says that the file's last line was cut off and nothing was recorded since.
func (l *Log) Torn() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.torn
}

// ErrClosed is wrapped, with api.ErrUnavailable, by what is called after Close.
var ErrClosed = errors.New("the audit log was closed")

// Record implements api.Audit. Where e names nobody, the user of ctx did it; where
// it has no time, it is now. Long texts are cut. Its errors wrap
// api.ErrUnavailable: nothing may be done then.
func (l *Log) Record(ctx context.Context, e api.AuditEntry) error {
	e = complete(ctx, e)
	line, err := json.Marshal(e)
	if err != nil { // texts and a time of our own: cannot fail
		return fmt.Errorf("%w: audit entry: %w", api.ErrUnavailable, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return fmt.Errorf("%w: %w", api.ErrUnavailable, ErrClosed)
	case l.config.Path == "":
		l.memory.add(e)
		return nil
	}
	if err := l.append(line); err != nil {
		return fmt.Errorf("%w: the audit log cannot be written, so nothing is done: %w", api.ErrUnavailable, err)
	}
	return nil
}

// Bounds of an entry's texts, in bytes.
const (
	maxText   = 512
	maxDetail = 8 << 10
)

func complete(ctx context.Context, e api.AuditEntry) api.AuditEntry {
	if user := api.UserOf(ctx); e.User == "" && e.Role == "" && e.From == "" {
		e.User, e.Role, e.From = user.Name, user.Role, user.From
	}
	if e.At.IsZero() || e.At.Year() < 0 || e.At.Year() > 9999 {
		e.At = time.Now()
	}
	e.At = e.At.UTC()
	for _, text := range []*string{&e.User, (*string)(&e.Role), &e.From, &e.Act, &e.Target, &e.Outcome} {
		*text = clip(*text, maxText)
	}
	e.Detail = clip(e.Detail, maxDetail)
	return e
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Close closes the file; entries after it are refused.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
