package postgres

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// waker tells relays that rows were committed: those of this process directly,
// others by NOTIFY. It is sent by a goroutine of ours outside the users'
// transactions, because those that contain one commit one after the other.
type waker struct {
	channel string
	mu      sync.Mutex
	waiting map[chan struct{}]bool
	dirty   chan struct{}
}

func newWaker() waker {
	return waker{waiting: map[chan struct{}]bool{}, dirty: make(chan struct{}, 1)}
}

const (
	notifyPause   = 10 * time.Millisecond // at most so many notifications per second
	notifyTimeout = 5 * time.Second
	listenPing    = 30 * time.Second
	listenMinWait = 100 * time.Millisecond
	listenMaxWait = 10 * time.Second
)

// Notify wakes relays, here and in other processes: for those whose joined
// transactions were told not to (WithoutNotify), after the commit. It does not
// wait.
func (db *DB) Notify() {
	db.waker.wakeHere()
	signal(db.waker.dirty)
}

// Wakeups is described at outbox.Store. It also ends with Close.
func (db *DB) Wakeups(ctx context.Context) (<-chan struct{}, <-chan struct{}) {
	wake, done := make(chan struct{}, 1), make(chan struct{})
	db.closing.Lock()
	defer db.closing.Unlock()
	if db.running.Err() != nil {
		close(done)
		return wake, done
	}
	db.waker.add(wake)
	db.work.Go(func() {
		defer close(done)
		defer db.waker.remove(wake)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(db.running, cancel)()
		db.listen(ctx, wake)
	})
	return wake, done
}

// listen reconnects for ever; a notification lost meanwhile is made good by the
// wake-up after the connect.
func (db *DB) listen(ctx context.Context, wake chan struct{}) {
	wait := listenMinWait
	for ctx.Err() == nil {
		heard, err := db.listenOnce(ctx, wake)
		if ctx.Err() != nil {
			return
		}
		if heard {
			wait = listenMinWait
		}
		db.log.Warn("postgres: listening for new outbox rows was interrupted, relays poll until it is restored", "error", err)
		if !pause(ctx, wait/2+rand.N(wait/2)) {
			return
		}
		wait = min(2*wait, listenMaxWait)
	}
}

func (db *DB) listenOnce(ctx context.Context, wake chan struct{}) (heard bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, db.pool.Config().ConnConfig)
	if err != nil {
		return false, failed("connect", err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{db.waker.channel}.Sanitize()); err != nil {
		return false, err
	}
	for {
		signal(wake)
		if err := waitOrPing(ctx, conn); err != nil {
			return true, err
		}
	}
}

// waitOrPing returns after a notification, or after a ping that finds a
// connection whose other end is gone.
func waitOrPing(ctx context.Context, conn *pgx.Conn) error {
	for {
		waiting, cancel := context.WithTimeout(ctx, listenPing)
		_, err := conn.WaitForNotification(waiting)
		timedOut := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil || !timedOut || conn.IsClosed() {
			return err
		}
		pinging, cancel := context.WithTimeout(ctx, listenPing)
		err = conn.Ping(pinging)
		cancel()
		if err != nil {
			return err
		}
	}
}

func (db *DB) notifyLoop() {
	for {
		select {
		case <-db.running.Done():
			return
		case <-db.waker.dirty:
		}
		db.sendNotify()
		if !pause(db.running, notifyPause) {
			return
		}
	}
}

func (db *DB) sendNotify() {
	ctx, cancel := context.WithTimeout(db.running, notifyTimeout)
	defer cancel()
	if _, err := db.pool.Exec(ctx, "SELECT pg_notify($1, '')", db.waker.channel); err != nil && db.running.Err() == nil {
		db.log.Debug("postgres: relays of other processes were not woken, they poll", "error", err)
	}
}

func (w *waker) add(c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting[c] = true
}

func (w *waker) remove(c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, c)
}

func (w *waker) wakeHere() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.waiting {
		signal(c)
	}
}

// signal coalesces: a value that nobody took yet is enough.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// pause returns false where ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
