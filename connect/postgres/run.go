package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/feed"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
	"github.com/pabal-dev/pabal/connect/postgres/internal/replication"
	"github.com/pabal-dev/pabal/kafka"
)

// run is one go at making records, with connections of its own.
type run struct {
	options   *options
	log       *slog.Logger
	values    config.Values
	partition map[string]any
	headers   []plugin.Header
	queue     *feed.Records
	confirmed *atomic.Uint64
	kafka     kafka.Config
	topic     *atomic.Pointer[debezium.SignalTopic] // of the run under way
	positions bool
	from      *position // nil is from the start
	// history of the server's log.
	history *history
	// published is what the publication had when we came, unpublished why changes are not told.
	published   *published
	unpublished string
	// interval of what the server is told.
	interval time.Duration
	// tables of the snapshot, and those that were read.
	tables, tablesDone atomic.Int64

	notes *debezium.Notifications
	// skipped says that no snapshot was taken, which is still to be told.
	skipped bool

	db      *pgx.Conn
	schemas *schemas
	conn    *replication.Conn
}

// farewell bounds what is said to the server at the end.
const farewell = 5 * time.Second

// do all, until the context ends or something fails.
func (r *run) do(ctx context.Context) error {
	cfg, err := connection(r.values)
	if err != nil {
		return err
	}
	if r.db, err = pgx.ConnectConfig(ctx, cfg); err != nil {
		return err
	}
	defer r.bye(r.db.Close)
	if err := r.statements(ctx); err != nil {
		return err
	}
	conn, err := replication.Connect(ctx, &cfg.Config)
	if err != nil {
		return err
	}
	r.conn = conn
	defer func() { r.bye(r.conn.Close) }()
	defer context.AfterFunc(ctx, conn.Interrupt)() // of a wait for the server
	if err := r.prepare(ctx); err != nil {
		return err
	}
	return r.phases(ctx)
}

func (r *run) bye(closing func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	_ = closing(ctx)
}

// statements of database.initial.statements.
func (r *run) statements(ctx context.Context) error {
	const escaped = "\x00"
	text := strings.ReplaceAll(r.options.Values.String("database.initial.statements"), ";;", escaped)
	for _, statement := range strings.Split(text, ";") {
		if statement = strings.TrimSpace(strings.ReplaceAll(statement, escaped, ";")); statement == "" {
			continue
		}
		if _, err := r.db.Exec(ctx, statement); err != nil {
			return fmt.Errorf("database.initial.statements: %w", err)
		}
	}
	return nil
}

// phases are a snapshot, where one is wanted, and the stream. A snapshot that was interrupted waits
// for the stream to come up to it.
func (r *run) phases(ctx context.Context) error {
	slot, err := r.slotState(ctx)
	if err != nil {
		return err
	}
	lost, err := r.check(ctx, slot)
	if err != nil {
		return err
	}
	if lost != nil {
		if !r.again() {
			return lost
		}
		r.log.Warn("postgres: changes are missing; all tables are read again, as snapshot.mode says", "error", lost)
		r.from = nil
		if err := r.publish(ctx); err != nil {
			return err
		}
	}
	plan := r.plan()
	r.skipped = !plan.snapshot
	if slot != nil && slot.lost && plan.snapshot && plan.stream {
		if err := r.dropLost(ctx); err != nil {
			return err
		}
		slot = nil
	}
	if plan.snapshot {
		if r.options.snapshotMode == "initial_only" {
			r.from = nil // no slot tells the changes of what was read before: it is read anew
		}
		at, err := r.snapshot(ctx, slot)
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if !plan.stream {
			return nil
		}
		r.from = at
	} else if !plan.stream {
		return nil
	} else if slot == nil {
		if slot, err = r.createSlot(ctx); err != nil {
			return err
		}
	}
	start := r.from
	if start == nil {
		start = &position{partition: r.partition, lsn: slot.confirmed, flush: slot.confirmed}
	}
	return r.streaming(ctx, start)
}

// plan is what the snapshot mode and the position make of it.
func (r *run) plan() (p struct{ snapshot, stream bool }) {
	fresh := r.from == nil || r.from.snapshot != nil
	p.snapshot, p.stream = fresh, true
	switch r.options.snapshotMode {
	case "no_data", "never":
		p.snapshot = false
	case "initial_only":
		p.stream = false
	case "always":
		p.snapshot = fresh || r.from.offset != nil
	case "configuration_based":
		p.snapshot = r.options.dataRows && (fresh || r.from.offset != nil)
		p.stream = r.options.startStream
	}
	return p
}

// again says whether tables may be read again where changes are missing.
func (r *run) again() bool {
	switch r.options.snapshotMode {
	case "when_needed", "always":
		return true
	case "configuration_based":
		return r.options.dataRows && r.options.Values.Bool("snapshot.mode.configuration.based.snapshot.on.data.error")
	}
	return false
}

// newStream from a position on, up to a place where that is not 0.
func (r *run) newStream(ctx context.Context, from *position, until pgoutput.LSN) (*stream, error) {
	now := time.Now()
	s := &stream{
		unseen: unseen{wanted: r.options.Values.Bool(visibleKey), db: r.db},
		run:    r, tables: map[uint32]*table{}, resume: from, commit: from.ended(), proc: from.proc,
		flushed: from.start(), received: from.start(), told: from.start(), until: until, progress: from.snapshot,
		emitter: debezium.NewEmitter(r.options.Settings, r.headers, from), message: newMessages(r.options),
		blocks: debezium.NewSourceBlocks(sourceSchema, "postgresql", r.options.Naming.Prefix),
		hearts: debezium.NewHeartbeats(r.options.Settings, now), nextStatus: now.Add(r.interval),
	}
	if until == 0 {
		s.progress, s.blocked = nil, from.blocked
	}
	s.emitter.Now(now)
	s.tx.begin.Time = time.UnixMicro(from.micros)
	if from.offset != nil {
		s.emitter.Transactions.Restore(from.offset)
	} else {
		o := map[string]any{}
		from.tx.Put(o)
		s.emitter.Transactions.Restore(o)
	}
	params := []string{"proto_version", "1", "publication_names", publicationName(r.options.publication), "messages", "true"}
	var major int
	if _, err := fmt.Sscanf(r.db.PgConn().ParameterStatus("server_version"), "%d", &major); err == nil && major < 14 {
		params = params[:4] // without messages
	}
	if err := r.conn.Start(ctx, r.options.slot, from.start(), append(params, r.options.streamParams...)...); err != nil {
		return nil, fmt.Errorf("start to stream from the slot %q at %s: %w", r.options.slot, from.start(), err)
	}
	return s, nil
}

// follow the stream until the context ends, and says how far the log is needed in the end.
func (s *stream) follow(ctx context.Context) error {
	err := s.read(ctx)
	if err == nil || ctx.Err() != nil {
		_ = s.status(time.Now(), false)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// publicationName as the plugin reads lists of names.
func publicationName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
