// Package auth says who asks: users with hashed passwords and bearer tokens from a
// file, sessions of browsers, and a limit to guessing.
package auth

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// ErrConfig is wrapped by every error about the users file.
var ErrConfig = errors.New("users file")

// recheck is how often the file is looked at, at most.
const recheck = time.Second

// Users are those of a file, which is read again when it changes. Its methods may be
// called at the same time.
type Users struct {
	path    string
	clock   func() time.Time
	logger  *slog.Logger
	hashing chan struct{} // one token for each hash at a time
	limit   *limiter
	decoy   string // hashed for names that are not known

	mu      sync.Mutex
	file    *file
	stamp   stamp
	checked time.Time
	failed  string // the last error of reading again, said once
}

// Option of Load, for programs that need other than the defaults.
type Option func(*Users)

// WithClock replaces time.Now, WithLogger slog.Default().
func WithClock(clock func() time.Time) Option { return func(u *Users) { u.clock = clock } }

// WithLogger says who hears that the file cannot be read again.
func WithLogger(l *slog.Logger) Option { return func(u *Users) { u.logger = l } }

// Load reads a users file. It must not be readable for everyone, nor writable for
// others than its owner. When the file cannot be read again later, those known stay.
func Load(path string, opts ...Option) (*Users, error) {
	u := &Users{path: path, clock: time.Now, logger: slog.Default(), hashing: make(chan struct{}, max(1, runtime.NumCPU()/2)), decoy: decoy()}
	for _, opt := range opts {
		opt(u)
	}
	u.limit = newLimiter(u.clock)
	f, s, err := read(path)
	if err != nil {
		return nil, err
	}
	if len(f.entries) == 0 {
		return nil, fmt.Errorf("%w: %s has no user and no token: add one with `pabal user add`", ErrConfig, path)
	}
	u.file, u.stamp, u.checked = f, s, u.clock()
	return u, nil
}

// current is the file as it stands now.
func (u *Users) current() *file {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.clock()
	if since := now.Sub(u.checked); since >= 0 && since < recheck {
		return u.file
	}
	u.checked = now
	if s, err := stampOf(u.path); err == nil && s == u.stamp {
		return u.file
	}
	f, s, err := read(u.path)
	if err != nil {
		if err.Error() != u.failed {
			u.logger.Error("users file: not read again; those known stay", "path", u.path, "error", err)
		}
		u.failed = err.Error()
		return u.file
	}
	u.file, u.stamp, u.failed = f, s, ""
	u.logger.Info("users file: read again", "path", u.path, "entries", len(f.entries))
	return f
}

// Password says who logs in from an address. The error wraps api.ErrUnauthenticated,
// in the same words and after the same time whether or not there is such a user, or
// api.ErrBusy after too many failures.
func (u *Users) Password(ctx context.Context, name, password, from string) (api.User, error) {
	if err := u.limit.take(from, name); err != nil {
		return api.User{}, err
	}
	e, known := u.current().user(name)
	ok, err := u.verify(ctx, cmp.Or(e.hash, u.decoy), password)
	if err != nil {
		u.limit.giveBack(from, name)
		return api.User{}, err
	}
	if !ok || !known {
		return api.User{}, fmt.Errorf("%w: user or password is wrong", api.ErrUnauthenticated)
	}
	u.limit.succeeded(from, name)
	return api.User{Name: name, Role: e.role, From: from}, nil
}

// maxWait is how long a login waits for others to be hashed.
const maxWait = 5 * time.Second

// verify hashes; only few at a time, because each takes a core for a while.
func (u *Users) verify(ctx context.Context, hash, password string) (bool, error) {
	wait := time.NewTimer(maxWait)
	defer wait.Stop()
	select {
	case u.hashing <- struct{}{}:
		defer func() { <-u.hashing }()
		return verify(hash, password), nil
	case <-wait.C:
		return false, fmt.Errorf("%w: too many people log in just now; try again in a moment", api.ErrBusy)
	case <-ctx.Done():
		return false, fmt.Errorf("%w: %w", api.ErrBusy, context.Cause(ctx))
	}
}

// Token says whose bearer token it is. The error wraps api.ErrUnauthenticated.
// Guesses are not limited: nobody guesses 256 bits.
func (u *Users) Token(token, from string) (api.User, error) {
	sum := tokenHash(token)
	var found entry
	for _, e := range u.current().entries { // all of them, whichever it is
		if e.token() && subtle.ConstantTimeCompare([]byte(e.hash), []byte(sum)) == 1 {
			found = e
		}
	}
	switch {
	case found.name == "":
		return api.User{}, fmt.Errorf("%w: the token is not known", api.ErrUnauthenticated)
	case !found.expires.IsZero() && !u.clock().Before(found.expires):
		return api.User{}, fmt.Errorf("%w: the token %q expired at %s", api.ErrUnauthenticated, found.name, found.expires.Format(time.RFC3339))
	}
	return api.User{Name: found.name, Role: found.role, From: from}, nil
}

// lookup is how a user stands now; a session lives as long as his line is the same
// but for the role.
func (u *Users) lookup(name string) (api.Role, string, bool) {
	e, ok := u.current().user(name)
	return e.role, e.hash, ok
}
