package mysql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/feed"
	"github.com/pabal-dev/pabal/connect/plugin"
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
	positions bool
	from      *position // nil is from the start
	kafka     kafka.Config
	topic     *atomic.Pointer[debezium.SignalTopic] // of the run under way
	stopped   *position                             // where the last stream ended that was to

	notes *debezium.Notifications
	// skipped says that no snapshot was taken, which is still to be told.
	skipped bool
	// tablesWanted are those of the snapshot, tablesRead those of them that were read.
	tablesWanted, tablesRead atomic.Int64

	db      *database
	schemas *schemas
	// definitions is nil without include.schema.changes.
	definitions *definitions
}

// do all, until the context ends or something fails.
func (r *run) do(ctx context.Context) (err error) {
	if r.db, err = connect(ctx, r.options.flavor, r.values); err != nil {
		return err
	}
	defer func() { r.db.close() }()
	if err := ready(r.db); err != nil {
		return err
	}
	if r.schemas, err = newSchemas(r.db, r.options, r.log); err != nil {
		return err
	}
	r.definitions = newDefinitions(r.options, r.headers)
	for {
		err := r.phases(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !errors.Is(err, ErrLost) || !r.again() {
			return err
		}
		r.log.Warn("mysql: all tables are read again, as snapshot.mode says", "error", err)
		r.from = nil
	}
}

// phases are a snapshot, where one is wanted, and the stream.
func (r *run) phases(ctx context.Context) (err error) {
	snapshot, stream := r.plan()
	r.skipped = !snapshot && r.from != nil
	if snapshot {
		if r.from, err = r.snapshot(ctx); err != nil {
			return err
		}
	}
	if !stream {
		return nil
	}
	if r.from == nil {
		if r.from, err = r.current(); err != nil {
			return err
		}
		if err := r.schemasOnly(ctx); err != nil {
			return err
		}
	} else if r.definitions != nil && r.from.snapshot != nil {
		if err := r.schemasOnly(ctx); err != nil {
			return err
		}
	}
	for {
		if err := r.stream(ctx, r.from, nil); !errors.Is(err, errBlocking) {
			return err
		}
		if r.from, err = r.blocking(ctx, r.stopped); err != nil {
			return err
		}
	}
}

// plan is what the snapshot mode and the position make of it.
func (r *run) plan() (snapshot, stream bool) {
	fresh := r.from == nil || r.from.snapshot != nil
	snapshot, stream = fresh, true
	switch r.options.snapshotMode {
	case "no_data", "recovery":
		snapshot = false
	case "initial_only":
		stream = false
	case "always":
		snapshot = fresh || r.from.offset != nil
	case "configuration_based":
		snapshot = r.options.dataRows && (fresh || r.from.offset != nil)
		stream = r.options.startStream
	}
	return snapshot, stream
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

// current position of the server.
func (r *run) current() (*position, error) {
	at, executed, err := logPlace(r.db)
	if err != nil {
		return nil, err
	}
	return r.positionAt(at, executed)
}

// positionAt a place between transactions. executed is MySQL's set of transactions there.
func (r *run) positionAt(at place, executed string) (p *position, err error) {
	p = &position{partition: r.partition, place: at, seconds: time.Now().Unix()}
	if p.gtids, err = r.gtidsAt(at, executed); err != nil {
		return nil, err
	}
	return p, nil
}

func (r *run) gtidsAt(at place, executed string) (gtidSet, error) {
	if r.options.flavor == mysql {
		if executed == "" {
			return nil, nil
		}
		return parseGTIDs(mysql, executed)
	}
	rows, err := r.db.rows("SELECT BINLOG_GTID_POS(?, ?)", at.file, int64(at.pos))
	if err != nil {
		return nil, fmt.Errorf("ask for the transactions at %s: %w", at, err)
	}
	if len(rows) == 0 || rows[0][0] == nil {
		return nil, nil
	}
	return parseGTIDs(mariadb, *rows[0][0])
}

// logPlace is the end of the server's log, and which transactions are in it.
func logPlace(db *database) (p place, executed string, err error) {
	rows, err := db.rows("SHOW MASTER STATUS")
	if err != nil && refusal(err) != 0 {
		rows, err = db.rows("SHOW BINARY LOG STATUS") // MySQL since 8.4
	}
	if err != nil {
		return p, "", fmt.Errorf("ask for the end of the binary log: %w", err)
	}
	if len(rows) == 0 || rows[0][0] == nil || rows[0][1] == nil {
		return p, "", fmt.Errorf("%w: it has no binary log: start the server with log_bin", ErrSetup)
	}
	p.file = *rows[0][0]
	if _, err := fmt.Sscan(*rows[0][1], &p.pos); err != nil {
		return p, "", err
	}
	if len(rows[0]) > 4 && rows[0][4] != nil {
		executed = *rows[0][4]
	}
	return p, executed, nil
}
