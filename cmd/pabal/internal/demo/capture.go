package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/connectors"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// connectorName is the one connector that publishes all outboxes.
const connectorName = "demo-outboxes"

// capture is change data capture: a worker with one connector, and what that has in the database.
type capture struct {
	server *connectors.Server
	slot   string // of replication; the publication has the same name
	secret string // file with the database's password
	mark   uint64 // end of the log when all seemed to have ended, 0 where it did not
}

// statusInterval is how often the connector tells PostgreSQL what is published, and how often the
// services look: rows stay in the outbox for about three times as long.
const statusInterval = 200 * time.Millisecond

// slotPrefix begins the names of all demos' slots.
const slotPrefix = "pabal_demo_"

func slotOf(run string) string { return slotPrefix + run }

// startCapture starts the connector before any service writes. It is given back also where it does not
// come up.
func (s *session) startCapture(ctx context.Context) (err error) {
	if !s.o.captured() {
		return nil
	}
	if err := s.canCapture(ctx); err != nil {
		return err
	}
	c := &capture{slot: slotOf(s.folder.manifest.Run)}
	s.capture = c
	s.onClose(s.stopCapture)
	config, err := s.connector(c)
	if err != nil {
		return err
	}
	if c.server, err = connectors.Start(ctx, connectors.Config{Kafka: s.cluster, Listen: s.addresses.connect, Logger: s.log}); err != nil {
		return err
	}
	return c.server.Run(ctx, connectorName, config)
}

// canCapture says what keeps the server from decoding its log, and tells of slots that demos have left
// that were killed.
func (s *session) canCapture(ctx context.Context) error {
	var level string
	var left []string
	err := s.dbs.all[0].View(ctx, func(q storage.Querier) error {
		if err := q.QueryRow(ctx, `SELECT current_setting('wal_level')`).Scan(&level); err != nil {
			return err
		}
		rows, err := q.Query(ctx, `SELECT slot_name::text FROM pg_replication_slots WHERE NOT active AND starts_with(slot_name, $1)`, slotPrefix)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			left = append(left, name)
		}
		return rows.Err()
	})
	switch {
	case err != nil:
		return fmt.Errorf("look whether PostgreSQL is set up for change data capture: %w", err)
	case level != "logical":
		return usage("--outbox="+s.o.Outbox+": PostgreSQL's wal_level is %s, and change data capture needs logical: ALTER SYSTEM SET wal_level = logical, restart the server, and try again (or use --outbox=relay)", level)
	}
	left = slices.DeleteFunc(left, func(name string) bool { return name == slotOf(s.folder.manifest.Run) })
	if len(left) > 0 {
		s.view.say("Replication slots of demos that were killed keep PostgreSQL's log from being removed: %s\nWhere none of them still runs: SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active AND slot_name LIKE 'pabal\\_demo\\_%%'\n\n", strings.Join(left, ", "))
	}
	return nil
}

// connector is its configuration; the password is in a file, because configurations are in a topic.
func (s *session) connector(c *capture) (map[string]string, error) {
	u, err := url.Parse(s.o.Database)
	if err != nil {
		return nil, usage("--database: the URL cannot be read")
	}
	if c.secret, err = s.folder.file("connect", "password"); err != nil {
		return nil, err
	}
	password, _ := u.User.Password()
	password = cmp.Or(password, os.Getenv("PGPASSWORD"))
	if err := os.WriteFile(c.secret, []byte(password), 0o600); err != nil {
		return nil, err
	}
	port := 5432
	if text := cmp.Or(u.Port(), os.Getenv("PGPORT")); text != "" {
		if port, err = strconv.Atoi(text); err != nil {
			return nil, usage("--database: the port %q is no number", text)
		}
	}
	connector := outbox.Connector{
		Host: u.Hostname(), Port: uint16(port), User: cmp.Or(u.User.Username(), os.Getenv("PGUSER"), os.Getenv("USER")),
		Password: "${dir:" + strings.TrimSuffix(c.secret, "/password") + ":password}", Database: strings.TrimPrefix(u.Path, "/"),
		SSLMode: u.Query().Get("sslmode"), Slot: c.slot,
	}
	if password == "" {
		connector.Password = ""
	}
	for _, one := range s.services {
		if one.Database != "" {
			connector.Schemas = append(connector.Schemas, one.Schema)
		}
	}
	config := connector.Config()
	config["status.update.interval.ms"] = strconv.FormatInt(statusInterval.Milliseconds(), 10)
	for _, name := range []string{"sslrootcert", "sslcert", "sslkey"} {
		if value := u.Query().Get(name); value != "" {
			config["database."+name] = value
		}
	}
	return config, nil
}

// logPublished says whether the connector has passed what was in the log when this was asked first since
// anything was under way: outboxes without rows do not tell.
func (s *session) logPublished(ctx context.Context) (bool, error) {
	if !s.o.rowless() || s.capture == nil {
		return true, nil
	}
	var end, confirmed int64
	err := s.dbs.all[0].View(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, `SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, coalesce((SELECT confirmed_flush_lsn - '0/0'
			FROM pg_replication_slots WHERE slot_name = $1), 0)::bigint`, s.capture.slot).Scan(&end, &confirmed)
	})
	if err != nil {
		return false, err
	}
	if s.capture.mark == 0 {
		s.capture.mark = uint64(end)
	}
	return uint64(confirmed) >= s.capture.mark, nil
}

// sayCapture says why the connector does not publish, where it does not.
func (s *session) sayCapture() {
	if s.capture == nil || s.capture.server == nil {
		return
	}
	if err := s.capture.server.Failure(connectorName); err != nil {
		s.view.say("%s; the log is %s\n", err, s.logPath)
	}
}

// captureTimeout bounds the end of change data capture: it is waited for also where the demo is cut
// short, because a slot that stays fills the server's disk.
const captureTimeout = 15 * time.Second

// stopCapture may be called twice; the second call does what the first one could not.
func (s *session) stopCapture(ctx context.Context) error {
	c := s.capture
	if c == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), captureTimeout)
	defer cancel()
	var errs []error
	if c.server != nil {
		if err := c.server.Remove(ctx, connectorName); err != nil {
			s.log.Warn("the connector stays", "error", err)
		}
		errs = append(errs, c.server.Stop(ctx))
		c.server = nil
	}
	if c.secret != "" {
		errs = append(errs, os.Remove(c.secret))
		c.secret = ""
	}
	err := s.dropSlot(ctx, c.slot)
	if err == nil {
		s.capture = nil
	}
	return errors.Join(append(errs, err)...)
}

// dropSlot also waits until the server has noticed that the connection is gone.
func (s *session) dropSlot(ctx context.Context, slot string) error {
	drop := func() (left bool, err error) {
		err = s.dbs.all[0].Update(ctx, func(tx storage.Tx) error {
			if _, err := tx.Exec(ctx, `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active`, slot); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `DROP PUBLICATION IF EXISTS `+slot); err != nil {
				return err
			}
			return tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)`, slot).Scan(&left)
		})
		return left, err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := drop()
		if err == nil && !left {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the replication slot %s is still there and keeps PostgreSQL's log from being removed: SELECT pg_drop_replication_slot('%s'): %w", slot, slot, errors.Join(err, ctx.Err()))
		}
	}
}
