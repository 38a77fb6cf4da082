package postgres

import (
	"context"
	"net"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
)

var (
	_ plugin.Inspector = Connector{}
	_ plugin.Observed  = (*task)(nil)
)

// slotsQuery has all logical slots but those of one session.
const slotsQuery = `SELECT slot_name::text, coalesce(database::text, ''), active, coalesce(restart_lsn::text, ''),
	coalesce(confirmed_flush_lsn::text, ''), coalesce(wal_status, ''),
	CASE WHEN restart_lsn IS NULL THEN -1 ELSE pg_wal_lsn_diff(
		CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn)::bigint END
	FROM pg_catalog.pg_replication_slots WHERE slot_type = 'logical' AND NOT temporary ORDER BY slot_name`

// Inspect finds the server's replication slots.
func (Connector) Inspect(ctx context.Context, cfg config.Values) (plugin.Inspection, error) {
	out := plugin.Inspection{Server: net.JoinHostPort(cfg.String("database.hostname"), strconv.FormatInt(cfg.Int("database.port"), 10)), Slots: []plugin.Slot{}}
	c, err := connection(cfg)
	if err != nil {
		return out, err
	}
	db, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return out, plain(err)
	}
	defer func() {
		farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		_ = db.Close(farewell)
	}()
	out.ServerID = serverID(ctx, db)
	rows, err := db.Query(ctx, slotsQuery)
	if err != nil {
		return out, plain(err)
	}
	own := cfg.String("slot.name")
	var s plugin.Slot
	_, err = pgx.ForEachRow(rows, []any{&s.Name, &s.Database, &s.Active, &s.RestartLSN, &s.ConfirmedLSN, &s.WALStatus, &s.RetainedBytes}, func() error {
		s.Own = s.Name == own
		out.Slots = append(out.Slots, s)
		return nil
	})
	return out, err
}

// serverID has the time at which the server was started, too: copies of its files, which are other
// servers, have its identifier. "" is that we may not ask for it.
func serverID(ctx context.Context, db *pgx.Conn) (id string) {
	_ = db.QueryRow(ctx, `SELECT system_identifier::text || '@' || to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS')
		FROM pg_catalog.pg_control_system()`).Scan(&id)
	return id
}

// Observe how far the task is.
func (t *task) Observe() plugin.Observation {
	r := t.source.current.Load()
	if r == nil {
		return plugin.Observation{}
	}
	o := plugin.Observation{Tables: int(r.tables.Load()), TablesDone: int(r.tablesDone.Load())}
	o.QueueBytes, o.QueueLimit = r.queue.Fill()
	return o
}
