// Package adapters puts REST, messages and SQL around the member service's ports.
package adapters

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library/member/domain"
	"github.com/pabal-dev/pabal/examples/library/member/ports"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/examples/service/ids"
	"github.com/pabal-dev/pabal/storage"
)

// store is ports.Store over the service's database.
type store struct {
	env service.Env
	nos *ids.Numbers
}

func newStore(env service.Env) *store { return &store{env, ids.New(env, "members")} }

func (s *store) Update(ctx context.Context, fn func(ports.Tx) error) error {
	return s.env.Update(ctx, func(tx storage.Tx) error { return fn(&transaction{Tx: tx, env: s.env}) })
}

func (s *store) Member(ctx context.Context, no int64) (m domain.Member, err error) {
	err = s.env.DB.View(ctx, func(q storage.Querier) error {
		m, err = scanMember(q.QueryRow(ctx, `SELECT `+memberColumns+` FROM members WHERE no = $1`, no))
		return err
	})
	return m, err
}

// byID finds members by what messages call them.
func (s *store) byID(ctx context.Context, id string) (m domain.Member, err error) {
	err = s.env.DB.View(ctx, func(q storage.Querier) error {
		m, err = scanMember(q.QueryRow(ctx, `SELECT `+memberColumns+` FROM members WHERE id = $1`, id))
		return err
	})
	return m, err
}

func (s *store) NewNo(ctx context.Context) (int64, error) { return s.nos.Next(ctx) }

// transaction is ports.Tx. cause and about are of the message that is handled, if any.
type transaction struct {
	storage.Tx
	env   service.Env
	cause event.Event
	about message.EventResult
}

func (tx *transaction) AddMember(ctx context.Context, m domain.Member) error {
	n, err := tx.Exec(ctx, `INSERT INTO members (no, id, name, email, points, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING`, m.No, m.ID, m.Name, m.Email, m.Points, tx.env.Now().UnixMicro())
	if err != nil || n == 1 {
		return err
	}
	there, err := scanMember(tx.QueryRow(ctx, `SELECT `+memberColumns+` FROM members WHERE id = $1`, m.ID))
	if err == nil && there.No != m.No {
		err = ports.ErrTaken
	}
	return err
}

// LockMember updates the row: that is the lock that both databases have.
func (tx *transaction) LockMember(ctx context.Context, id string) (domain.Member, error) {
	return scanMember(tx.QueryRow(ctx, `UPDATE members SET changed_at = changed_at WHERE id = $1 RETURNING `+memberColumns, id))
}

func (tx *transaction) SavePoints(ctx context.Context, m domain.Member) error {
	_, err := tx.Exec(ctx, `UPDATE members SET points = $1, changed_at = $2 WHERE id = $3`, m.Points, tx.env.Now().UnixMicro(), m.ID)
	return err
}

const memberColumns = `no, id, name, email, points`

func scanMember(row storage.Row) (m domain.Member, err error) {
	err = row.Scan(&m.No, &m.ID, &m.Name, &m.Email, &m.Points)
	if errors.Is(err, sql.ErrNoRows) {
		err = ports.ErrNoMember
	}
	return m, err
}

func (tx *transaction) AddEntry(ctx context.Context, e domain.Entry) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO point_entries (id, kind, member_id, points, status, reason, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (id, kind) DO NOTHING`,
		e.ID, string(e.Kind), e.Member, e.Points, string(e.Status), e.Reason, tx.env.Now().UnixMicro())
	return n == 1, err
}

func (tx *transaction) LockEntry(ctx context.Context, id string, kind domain.Kind) (domain.Entry, bool, error) {
	e := domain.Entry{ID: id, Kind: kind}
	var status string
	err := tx.QueryRow(ctx, `UPDATE point_entries SET changed_at = changed_at WHERE id = $1 AND kind = $2
		RETURNING member_id, points, status, reason`, id, string(kind)).Scan(&e.Member, &e.Points, &status, &e.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		return e, false, nil
	}
	e.Status = domain.Status(status)
	return e, err == nil, err
}

func (tx *transaction) SaveEntry(ctx context.Context, e domain.Entry) error {
	_, err := tx.Exec(ctx, `UPDATE point_entries SET status = $1, reason = $2, changed_at = $3 WHERE id = $4 AND kind = $5`,
		string(e.Status), e.Reason, tx.env.Now().UnixMicro(), e.ID, string(e.Kind))
	return err
}
