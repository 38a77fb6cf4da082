package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/feed"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/catalog"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
	"github.com/pabal-dev/pabal/connect/postgres/internal/replication"
)

// snapshot reads the captured tables as of one point of the log, and says where to stream from. It
// goes on with one that was interrupted.
func (r *run) snapshot(ctx context.Context, existing *slot) (*position, error) {
	if err := pause(ctx, r.options.Values.Millis("snapshot.delay.ms")); err != nil {
		return nil, err
	}
	point, err := r.point(ctx, existing)
	if err != nil {
		return nil, err
	}
	defer point.release()
	n := &snapshotRun{run: r, at: point.At, name: point.Snapshot, progress: &progress{}}
	if r.from != nil && r.from.snapshot != nil {
		n.progress = r.from.snapshot
	}
	if err := n.plan(ctx); err != nil {
		return nil, err
	}
	commit := pgoutput.LSN(0)
	if r.from != nil && r.from.snapshot != nil && !r.from.snapshot.empty() {
		if commit, err = n.catchUp(ctx); err != nil {
			return nil, err
		}
	}
	n.commit = commit
	if err := n.read(ctx); err != nil || ctx.Err() != nil {
		if ctx.Err() == nil {
			err = errors.Join(err, n.tell(ctx, debezium.SnapshotNote(debezium.SnapshotAborted)))
		}
		return nil, errors.Join(err, ctx.Err())
	}
	r.log.Info("postgres: the snapshot is complete", "tables", len(n.tables), "at", point.At.String())
	end := &position{partition: r.partition, lsn: point.At, commit: commit, flush: point.At, micros: n.started.UnixMicro(), history: r.history, published: r.published}
	if err := r.queue.Put(ctx, r.notes.Append(nil, time.Now(), end, debezium.SnapshotNote(debezium.SnapshotCompleted))); err != nil {
		return nil, err
	}
	return end, pause(ctx, r.options.Values.Millis("streaming.delay.ms"))
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// point of the log, with the name of a snapshot as of it, which lives until release.
type point struct {
	replication.Slot
	release func()
}

// point is that of the new slot; where there is one already, that of a temporary one.
func (r *run) point(ctx context.Context, existing *slot) (*point, error) {
	if existing == nil && r.options.snapshotMode != "initial_only" {
		made, err := r.makeSlot(ctx)
		return &point{made, func() {}}, err
	}
	return r.temporary(ctx)
}

// temporary point, of a slot that is gone with its connection.
func (r *run) temporary(ctx context.Context) (*point, error) {
	cfg, err := connection(r.values)
	if err != nil {
		return nil, err
	}
	holder, err := replication.Connect(ctx, &cfg.Config)
	if err != nil {
		return nil, err
	}
	release := func() { r.bye(holder.Close) }
	const longest = 63
	name := r.options.slot + "_" + strings.ToLower(rand.Text()[:8])
	made, err := holder.CreateSlot(ctx, name[max(0, len(name)-longest):], replication.Options{Temporary: true})
	if err != nil {
		release()
		return nil, fmt.Errorf("create a temporary replication slot for the snapshot: %w", err)
	}
	return &point{made, release}, nil
}

// snapshotRun is one go at a snapshot.
type snapshotRun struct {
	*run
	at, commit pgoutput.LSN
	name       string
	xid        int64
	started    time.Time
	tables     []*snapshotTable
	// blocking is what a blocking snapshot was asked for, and state the stream's; nil is an initial one.
	blocking *incremental.Blocking
	state    incremental.State

	mu       sync.Mutex // of what follows
	progress *progress
	held     *plugin.SourceRecord // the last record: it may be the last of all
	passed   *position            // of the record before it, for notifications
	finished int                  // tables
}

// plan which tables to read, in which order.
func (n *snapshotRun) plan(ctx context.Context) error {
	n.started = time.Now()
	// A transaction's number stands in the source block, as Debezium has it.
	if err := n.db.QueryRow(ctx, "SELECT CASE WHEN pg_is_in_recovery() THEN 0 ELSE txid_current() END").Scan(&n.xid); err != nil {
		return err
	}
	names, err := n.captured(ctx)
	if err != nil {
		return err
	}
	var only *debezium.Matcher
	if n.blocking == nil {
		if only, err = debezium.ParseMatcher(rawOf(n.options, "snapshot.include.collection.list")); err != nil {
			return err
		}
	}
	byName := map[string]*snapshotTable{}
	for i := range names {
		full := names[i].Schema + "." + names[i].Name
		if only != nil && !only.Match(full) || n.isSignals(names[i]) || n.blocking != nil && !n.blocking.Wants(full) {
			continue
		}
		t, err := n.table(ctx, &names[i])
		if err != nil {
			return err
		}
		byName[full] = t
		n.tables = append(n.tables, t)
	}
	n.order()
	n.progress = &progress{done: n.progress.done, active: n.progress.active, anew: n.progress.anew, tables: byName}
	if err := n.resume(ctx); err != nil {
		return err
	}
	n.run.tables.Store(int64(len(n.tables)))
	n.count()
	return nil
}

// isSignals says whether a table is that of signals, which no snapshot reads.
func (n *snapshotRun) isSignals(t catalog.Table) bool {
	return slices.Contains(n.options.Signals, debezium.TableID{Schema: t.Schema, Table: t.Name})
}

func rawOf(o *options, key string) string {
	text, _ := o.Values.Raw(key)
	return text
}

// order of tables is that of table.include.list, where there is one.
func (n *snapshotRun) order() {
	var lists []*debezium.Matcher
	for _, one := range n.options.Values.List("table.include.list") {
		if m, err := debezium.ParseMatcher(one); err == nil {
			lists = append(lists, m)
		}
	}
	place := func(t *snapshotTable) int {
		return slices.IndexFunc(lists, func(m *debezium.Matcher) bool { return m.Match(t.ID.String()) })
	}
	slices.SortStableFunc(n.tables, func(a, b *snapshotTable) int { return place(a) - place(b) })
}

// catchUp streams the changes of what was read before, up to the new point. It has a connection of
// its own, as the server streams only once on one.
func (n *snapshotRun) catchUp(ctx context.Context) (commit pgoutput.LSN, err error) {
	n.log.Info("postgres: an interrupted snapshot goes on", "from", n.from.start().String(), "to", n.at.String(), "tables", len(n.from.snapshot.done))
	from := *n.from
	from.snapshot = n.progress
	cfg, err := connection(n.values)
	if err != nil {
		return 0, err
	}
	conn, err := replication.Connect(ctx, &cfg.Config)
	if err != nil {
		return 0, err
	}
	defer n.bye(conn.Close)
	defer context.AfterFunc(ctx, conn.Interrupt)()
	later := n.conn
	n.conn = conn
	defer func() { n.conn = later }()
	s, err := n.newStream(ctx, &from, n.at)
	if err != nil {
		return 0, err
	}
	if err := s.read(ctx); err != nil {
		return 0, err
	}
	return s.commit, conn.Stop(ctx) // which frees the slot
}

// read the tables, several at a time.
func (n *snapshotRun) read(ctx context.Context) error {
	n.passed = &position{partition: n.partition, lsn: n.at, commit: n.commit, flush: n.at, xid: uint32(n.xid), micros: n.started.UnixMicro(), history: n.history, published: n.published}
	n.within(n.passed, n.progress)
	if err := n.tell(ctx, debezium.SnapshotNote(debezium.SnapshotStarted)); err != nil {
		return err
	}
	work := make(chan *snapshotTable, len(n.tables))
	for i, t := range n.tables {
		t.first, t.last = i == 0, i == len(n.tables)-1
		if !n.progress.whole(t.ID.String()) {
			work <- t
		}
	}
	close(work)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for range max(1, min(n.options.threads, len(work))) {
		wg.Go(func() {
			if err := feed.Guard(func() error { return n.worker(ctx, work) }); err != nil {
				cancel(err) // the first one is the reason why the others end
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return n.finish(ctx)
}

func (n *snapshotRun) worker(ctx context.Context, work <-chan *snapshotTable) error {
	cfg, err := connection(n.values)
	if err != nil {
		return err
	}
	db, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer n.bye(db.Close)
	for _, statement := range []string{
		"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SET TRANSACTION SNAPSHOT '" + n.name + "'",
		"SET LOCAL statement_timeout = 0", "SET LOCAL idle_in_transaction_session_timeout = 0",
	} {
		if _, err := db.Exec(ctx, statement); err != nil {
			return fmt.Errorf("snapshot: %s: %w", statement, err)
		}
	}
	for t := range work {
		if err := n.copyTable(ctx, db, t); err != nil {
			return fmt.Errorf("snapshot of %s: %w", t.ID, err)
		}
	}
	return nil
}

// emit a batch of a table's records: their positions get the progress of all others.
func (n *snapshotRun) emit(ctx context.Context, records []plugin.SourceRecord) error {
	if len(records) == 0 {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range records {
		n.within(records[i].At.(*position), n.progress)
	}
	n.progress = n.progress.with(records[len(records)-1].At.(*position).row)
	n.count()
	last := records[len(records)-1]
	out := make([]plugin.SourceRecord, 0, len(records))
	if n.held != nil {
		out = append(out, *n.held)
	}
	n.held = &last
	if out = append(out, records[:len(records)-1]...); len(out) > 0 {
		n.passed = out[len(out)-1].At.(*position)
	}
	return n.queue.Put(ctx, out)
}

// tell what the snapshot does, at the place of the last record but the one that is held back.
func (n *snapshotRun) tell(ctx context.Context, note debezium.Notification) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.queue.Put(ctx, n.notes.Append(nil, time.Now(), n.passed, note))
}

// names of all tables, for notifications.
func (n *snapshotRun) names() (names []string) {
	for _, t := range n.tables {
		names = append(names, t.ID.String())
	}
	return names
}

// within the snapshot is a position, with its progress.
func (n *snapshotRun) within(p *position, progress *progress) {
	if n.blocking == nil {
		p.snapshot = progress
		return
	}
	p.blocking, p.blocked, p.chunks = true, progress, n.state
}

// count the tables that were read; n.mu is held, or nobody else is there yet.
func (n *snapshotRun) count() { n.tablesDone.Store(int64(len(n.progress.done))) }

// finish with the record that was held back: it is the last one.
func (n *snapshotRun) finish(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.held == nil {
		return nil
	}
	p := n.held.At.(*position)
	n.within(p, nil)
	p.last, p.chunks = true, n.state.Unblocked()
	markLast(n.held)
	return n.queue.Put(ctx, []plugin.SourceRecord{*n.held})
}
