package postgres

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

var wakeNotify = statementFile("wake_notify")

// news is what listeners are told of; the text is a notification's payload.
type news string

const (
	outboxRows  news = ""
	journalRows news = "journal"
)

// waker tells listeners that rows were committed: those of this process directly,
// others by NOTIFY. It is sent by a goroutine of ours outside the users'
// transactions, because those that contain one commit one after the other. All
// listeners of a DB share one connection, which there is while there is one.
type waker struct {
	channel string
	dirty   chan struct{}

	mu        sync.Mutex
	listeners map[chan struct{}]news
	ear       *ear          // nil where nobody listens
	unsent    map[news]bool // not notified of yet
}

// ear is the connection that listens, and who keeps it.
type ear struct {
	hears bool // guarded by waker.mu
	stop  context.CancelFunc
	done  chan struct{}
}

func newWaker() waker {
	return waker{listeners: map[chan struct{}]news{}, unsent: map[news]bool{}, dirty: make(chan struct{}, 1)}
}

const (
	notifyPause   = 5 * time.Millisecond // at most so many notifications per second
	notifyTimeout = 5 * time.Second
	listenPing    = 30 * time.Second
	listenMinWait = 100 * time.Millisecond
	listenMaxWait = 10 * time.Second
)

// Notify wakes relays, here and in other processes: for those whose joined
// transactions were told not to (WithoutNotify), after the commit. It does not
// wait.
func (db *DB) Notify() { db.tell(outboxRows) }

// Wakeups is described at outbox.Store. It also ends with Close.
func (db *DB) Wakeups(ctx context.Context) (<-chan struct{}, <-chan struct{}) {
	return db.hear(ctx, outboxRows)
}

func (db *DB) tell(about news) {
	db.waker.wake(about)
	db.waker.mu.Lock()
	db.waker.unsent[about] = true
	db.waker.mu.Unlock()
	signal(db.waker.dirty)
}

// hear registers a listener until ctx ends or the DB is closed.
func (db *DB) hear(ctx context.Context, about news) (<-chan struct{}, <-chan struct{}) {
	wake, done := make(chan struct{}, 1), make(chan struct{})
	db.closing.Lock()
	defer db.closing.Unlock()
	if db.running.Err() != nil {
		close(done)
		return wake, done
	}
	db.add(wake, about)
	db.work.Go(func() {
		defer close(done)
		select {
		case <-ctx.Done():
		case <-db.running.Done():
		}
		db.waker.remove(wake)
	})
	return wake, done
}

// add is called with db.closing held. A listener that comes to an open ear is
// woken at once, as the others were when it opened.
func (db *DB) add(wake chan struct{}, about news) {
	w := &db.waker
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listeners[wake] = about
	if w.ear == nil {
		ctx, cancel := context.WithCancel(db.running)
		e := &ear{stop: cancel, done: make(chan struct{})}
		w.ear = e
		db.work.Go(func() {
			defer close(e.done)
			db.listen(ctx, e)
		})
	}
	if w.ear.hears {
		signal(wake)
	}
}

// remove waits for the connection's end after the last listener.
func (w *waker) remove(wake chan struct{}) {
	w.mu.Lock()
	delete(w.listeners, wake)
	e := w.ear
	last := len(w.listeners) == 0
	if last {
		w.ear = nil
	}
	w.mu.Unlock()
	if last && e != nil {
		e.stop()
		<-e.done
	}
}

// listen reconnects for ever; a notification lost meanwhile is made good by the
// wake-up after the connect.
func (db *DB) listen(ctx context.Context, e *ear) {
	wait := listenMinWait
	for ctx.Err() == nil {
		heard, err := db.listenOnce(ctx, e)
		if ctx.Err() != nil {
			return
		}
		if heard {
			wait = listenMinWait
		}
		db.log.Warn("postgres: listening for new rows was interrupted, who waits for them polls until it is restored", "error", err)
		if !pause(ctx, wait/2+rand.N(wait/2)) {
			return
		}
		wait = min(2*wait, listenMaxWait)
	}
}

func (db *DB) listenOnce(ctx context.Context, e *ear) (heard bool, err error) {
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
	db.waker.open(e, true)
	defer db.waker.open(e, false)
	for {
		about, err := waitOrPing(ctx, conn)
		if err != nil {
			return true, err
		}
		db.waker.wake(about)
	}
}

// open wakes everybody where the ear begins to hear.
func (w *waker) open(e *ear, hears bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.hears = hears
	for wake := range w.listeners {
		if hears {
			signal(wake)
		}
	}
}

// waitOrPing returns after a notification, or after a ping that finds a
// connection whose other end is gone.
func waitOrPing(ctx context.Context, conn *pgx.Conn) (news, error) {
	for {
		waiting, cancel := context.WithTimeout(ctx, listenPing)
		n, err := conn.WaitForNotification(waiting)
		timedOut := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil {
			return news(n.Payload), nil
		}
		if !timedOut || conn.IsClosed() {
			return "", err
		}
		pinging, cancel := context.WithTimeout(ctx, listenPing)
		err = conn.Ping(pinging)
		cancel()
		if err != nil {
			return "", err
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
	_, err := db.pool.Exec(ctx, "SELECT pg_notify($1, about) FROM unnest($2::text[]) AS about", db.waker.channel, db.waker.takeUnsent())
	if err != nil && db.running.Err() == nil {
		db.log.Debug("postgres: listeners of other processes were not woken, they poll", "error", err)
	}
}

func (w *waker) takeUnsent() (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for about := range w.unsent {
		all = append(all, string(about))
	}
	clear(w.unsent)
	return all
}

func (w *waker) wake(about news) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for wake, wants := range w.listeners {
		if wants == about {
			signal(wake)
		}
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
