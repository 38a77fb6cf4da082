package sqlite

import (
	"context"
	_ "embed" // for the SQL
	"time"

	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
)

//go:embed sql/projection_list.sql
var projectionList string

// Projections implements projection.Admin.
func (db *DB) Projections(ctx context.Context, name string) (list []projection.Stored, err error) {
	err = db.View(ctx, func(q storage.Querier) error {
		now := time.Now().UnixMicro()
		names, err := texts(ctx, q, projectionList, name, now)
		if err != nil {
			return err
		}
		list = make([]projection.Stored, len(names))
		for i, known := range names {
			if list[i], err = describe(ctx, q, known, now); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

func describe(ctx context.Context, q storage.Querier, name string, now int64) (projection.Stored, error) {
	p := projection.Stored{Name: name, Workers: []string{}}
	stored, err := readRanges(ctx, q, name)
	if err != nil {
		return p, err
	}
	p.Ranges = rangesOf(stored)
	for _, r := range stored {
		p.Source = r.source
		if r.latest.After(p.Latest) {
			p.Latest, p.Consumed = r.latest, r.consumed
		}
	}
	workers, err := texts(ctx, q, "SELECT worker FROM pabal_projection_worker WHERE projection = $1 AND until > $2 ORDER BY worker", name, now)
	if err != nil {
		return p, err
	}
	p.Workers = append(p.Workers, workers...)
	err = q.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM projection_management WHERE projection_name = $1 AND paused)", name).Scan(&p.Paused)
	return p, err
}
