package redrive

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// index is what is known of dead letters and redrives, in a SQLite file.
type index struct {
	db  *sqlite.DB
	log *slog.Logger
	// durably stands around every step that lasts, so that tests can fail each.
	durably func(step func() error) error
}

func openIndex(ctx context.Context, path string, log *slog.Logger, durably func(func() error) error) (*index, error) {
	db, err := sqlite.Open(ctx, path, sqlite.Config{Logger: log})
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err == nil {
		err = db.Migrate(ctx, "redrive", files)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	return &index{db, log, durably}, nil
}

func (x *index) update(ctx context.Context, fn func(*sqlite.Tx) error) error {
	return x.durably(func() error { return x.db.Update(ctx, fn) })
}

func (x *index) close() error { return x.db.Close() }

// source is a partition that is read.
type source struct {
	cluster, topicID, topic string
	partition               int32
}

// add stores letters that were read and where to go on, in one transaction.
func (x *index) add(ctx context.Context, letters []letter, next map[source]int64, now time.Time) error {
	return x.update(ctx, func(tx *sqlite.Tx) error {
		for _, l := range letters {
			if err := addLetter(ctx, tx, l, now); err != nil {
				return fmt.Errorf("dead letter %s: %w", l.place, err)
			}
		}
		for s, offset := range next {
			_, err := tx.Exec(ctx, `INSERT INTO dead_source (cluster, topic_id, part, topic, next) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (cluster, topic_id, part) DO UPDATE SET next = excluded.next, topic = excluded.topic`,
				s.cluster, s.topicID, s.partition, s.topic, offset)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// addLetter puts a letter after those of the same message and giver: only the
// latest of them stays open.
func addLetter(ctx context.Context, tx *sqlite.Tx, l letter, now time.Time) error {
	l.failures = 1
	var there bool
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM dead_letter WHERE cluster = $1 AND topic_id = $2 AND part = $3 AND place = $4)",
		l.cluster, l.topicID, l.partition, l.offset).Scan(&there)
	if err != nil || there {
		return err
	}
	if l.known() && l.event.ID != "" {
		known, err := succeed(ctx, tx, &l)
		if err != nil || known {
			return err
		}
	}
	_, err = tx.Exec(ctx, `INSERT INTO dead_fingerprint (id, cluster, consumer, outbox, topic, error, first, last) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
		ON CONFLICT (id) DO UPDATE SET error = iif(excluded.last >= last, excluded.error, error), first = min(first, excluded.first), last = max(last, excluded.last)`,
		l.fingerprint, l.cluster, l.consumer, l.outbox, l.fromTopic, l.reason, l.at.UnixMicro())
	if err != nil {
		return err
	}
	due := now.UnixMicro()
	if !l.known() || l.event.ID == "" { // nobody can be asked
		due = never
	}
	_, err = tx.Exec(ctx, `INSERT INTO dead_letter (cluster, topic_id, topic, part, place, fingerprint, consumer, outbox, outbox_row, from_topic, from_part,
		from_place, error, attempts, at, event_id, type, source, key, event_at, correlation, causation, content_type, obstacle, failures, state, since, due)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)`,
		l.cluster, l.topicID, l.topic, l.partition, l.offset, l.fingerprint, l.consumer, l.outbox, l.row, l.fromTopic, l.fromPart,
		l.fromOffset, l.reason, l.attempts, l.at.UnixMicro(), l.event.ID, l.event.Type, l.event.Source, l.event.Key, l.event.Time.UnixMicro(),
		l.event.CorrelationID, l.event.CausationID, l.event.ContentType, l.obstacle, l.failures, l.state, now.UnixMicro(), due)
	return err
}

// never is a due time that does not come.
const never = 1 << 62

// succeed compares l with the latest letter of its message. It says whether l is
// that one again, published twice.
func succeed(ctx context.Context, tx *sqlite.Tx, l *letter) (known bool, err error) {
	var seq, at, from int64
	var part int32
	var topic, state string
	var failures int
	err = tx.QueryRow(ctx, `SELECT seq, at, from_topic, from_part, from_place, state, failures FROM dead_letter INDEXED BY dead_letter_event
		WHERE event_id = $1 AND consumer = $2 AND outbox = $3 AND cluster = $4 ORDER BY at DESC, seq DESC LIMIT 1`,
		l.event.ID, l.consumer, l.outbox, l.cluster).Scan(&seq, &at, &topic, &part, &from, &state, &failures)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	switch {
	case l.consumer != "" && at == l.at.UnixMicro() && topic == l.fromTopic && part == l.fromPart && from == l.fromOffset:
		return true, nil
	case at > l.at.UnixMicro(): // read later, given up earlier
		l.state = stateRenewed
		_, err = tx.Exec(ctx, "UPDATE dead_letter SET failures = failures + 1 WHERE seq = $1", seq)
		return false, err
	}
	l.failures = failures + 1
	if state == stateOpen || state == stateRedriven {
		_, err = tx.Exec(ctx, "UPDATE dead_letter SET state = 'renewed' WHERE seq = $1", seq)
	}
	return false, err
}

// next is where to go on in a partition; ok is false for one that is new.
func (x *index) next(ctx context.Context, s source) (offset int64, ok bool, err error) {
	err = x.db.View(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, "SELECT next FROM dead_source WHERE cluster = $1 AND topic_id = $2 AND part = $3", s.cluster, s.topicID, s.partition).Scan(&offset)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return offset, err == nil, err
}

// held keeps letters that a running redrive needs.
const held = `seq NOT IN (SELECT l.letter FROM redrive_letter l JOIN redrive_job j ON j.id = l.job WHERE j.state = 'running' AND l.state IN ('pending', 'sending'))`

// forget drops the letters that the log does not have any more: those of other
// topics of the same name, and those before a partition's start.
func (x *index) forget(ctx context.Context, s source, start int64) (gone int64, err error) {
	err = x.update(ctx, func(tx *sqlite.Tx) error {
		n, err := tx.Exec(ctx, "DELETE FROM dead_letter WHERE topic = $1 AND part = $2 AND cluster = $3 AND topic_id = $4 AND place < $5 AND "+held,
			s.topic, s.partition, s.cluster, s.topicID, start)
		if err != nil {
			return err
		}
		m, err := tx.Exec(ctx, "DELETE FROM dead_letter WHERE topic = $1 AND part = $2 AND cluster = $3 AND topic_id <> $4 AND "+held,
			s.topic, s.partition, s.cluster, s.topicID)
		gone = n + m
		if err != nil || gone == 0 {
			return err
		}
		_, err = tx.Exec(ctx, emptyFingerprints, s.cluster)
		return err
	})
	return gone, err
}

const emptyFingerprints = "DELETE FROM dead_fingerprint WHERE cluster = $1 AND open + redriven + handled + renewed = 0"

// trim keeps the latest letters, and redrives of the latest.
func (x *index) trim(ctx context.Context, cluster string, most int64, before time.Time) (gone int64, err error) {
	err = x.update(ctx, func(tx *sqlite.Tx) error {
		gone, err = tx.Exec(ctx, `DELETE FROM dead_letter WHERE (at < $1 OR seq <= (SELECT seq FROM dead_letter ORDER BY seq DESC LIMIT 1 OFFSET $2)) AND `+held,
			before.UnixMicro(), most)
		if err == nil && gone > 0 {
			_, err = tx.Exec(ctx, emptyFingerprints, cluster)
		}
		if err == nil {
			err = trimJobs(ctx, tx)
		}
		return err
	})
	return gone, err
}

// maxJobs is how many redrives are remembered, maxJobLetters how many letters they
// have together.
const (
	maxJobs       = 500
	maxJobLetters = 1_000_000
)

func trimJobs(ctx context.Context, tx *sqlite.Tx) error {
	n, err := tx.Exec(ctx, `DELETE FROM redrive_job WHERE state <> 'running' AND id IN (SELECT id FROM
		(SELECT id, row_number() OVER latest AS jobs, sum(total) OVER latest AS letters FROM redrive_job WINDOW latest AS (ORDER BY id DESC))
		WHERE jobs > $1 OR letters > $2 AND jobs > 1)`, maxJobs, maxJobLetters)
	if err == nil && n > 0 {
		_, err = tx.Exec(ctx, "DELETE FROM redrive_letter WHERE job NOT IN (SELECT id FROM redrive_job)")
	}
	return err
}
