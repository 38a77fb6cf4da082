package sql

import (
	"context"
	"strings"
)

// What one statement has at most: placeholders, and bytes, of which a server takes 16 MiB by default.
const (
	mysqlPlaceholders = 60_000
	mysqlBytes        = 4 << 20
)

func (s *mysqlSession) run(ctx context.Context, batches []*batch, mode string) error {
	return s.within(ctx, func() error {
		if err := s.conn.Begin(); err != nil {
			return err
		}
		for _, b := range batches {
			if err := s.batch(b, mode); err != nil {
				if rolledBack := s.conn.Rollback(); rolledBack != nil {
					s.dead.Store(true) // the server does it
				}
				return err
			}
		}
		return s.conn.Commit()
	})
}

func (s *mysqlSession) batch(b *batch, mode string) error {
	if b.truncate {
		_, err := s.conn.Execute("DELETE FROM " + b.table.name.backquoted()) // TRUNCATE ends the transaction
		return err
	}
	if b.removed.len() > 0 {
		if err := s.each(b.removed, b.removed.keys, b.removed.mysqlDeletion(b.table)); err != nil {
			return err
		}
	}
	switch {
	case b.written.len() == 0:
		return nil
	case mode == modeUpdate:
		return s.update(b.table, b.written)
	}
	return s.each(b.written, len(b.written.columns), b.written.mysqlInsert(b.table, mode))
}

// each sends rows, as many at once as fit, with a statement for their number.
func (s *mysqlSession) each(r *rows, columns int, text func(rows int) string) error {
	var arguments []any
	count, bytes := 0, 0
	flush := func() error {
		if count == 0 {
			return nil
		}
		_, err := s.conn.Execute(text(count), arguments...)
		arguments, count, bytes = arguments[:0], 0, 0
		return err
	}
	for _, row := range r.all {
		if row == nil {
			continue
		}
		size := 0
		for _, value := range row[:columns] {
			size += len(value)
		}
		if (count+1)*columns > mysqlPlaceholders || bytes+size > mysqlBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		for i, value := range row[:columns] {
			arguments = append(arguments, r.columns[i].argument(value))
		}
		count, bytes = count+1, bytes+size
	}
	return flush()
}

// update rows one by one.
func (s *mysqlSession) update(t *table, r *rows) error {
	all := len(r.columns)
	if r.keys == 0 || r.keys == all {
		return nil
	}
	set := func(i int) string { return r.backquoted(i) + " = ?" }
	prepared, err := s.conn.Prepare("UPDATE " + t.name.backquoted() + " SET " + r.list(r.keys, all, ", ", set) + " WHERE " + r.list(0, r.keys, " AND ", set))
	if err != nil {
		return err
	}
	defer prepared.Close()
	for _, row := range r.all {
		if row == nil {
			continue
		}
		arguments := make([]any, 0, all)
		for i := range all {
			at := (i + r.keys) % all
			arguments = append(arguments, r.columns[at].argument(row[at]))
		}
		if _, err := prepared.Execute(arguments...); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) backquoted(i int) string { return backquote(r.columns[i].name) }

func placeholders(columns, rows int) string {
	one := "(" + strings.Repeat("?, ", columns-1) + "?)"
	return strings.Repeat(one+", ", rows-1) + one
}

func (r *rows) mysqlDeletion(t *table) func(int) string {
	return func(n int) string {
		return "DELETE FROM " + t.name.backquoted() + " WHERE (" + r.list(0, r.keys, ", ", r.backquoted) + ") IN (" + placeholders(r.keys, n) + ")"
	}
}

// mysqlInsert also updates where the mode says so: rows with the same value of any unique index.
func (r *rows) mysqlInsert(t *table, mode string) func(int) string {
	all := len(r.columns)
	end := ""
	if mode == modeUpsert && r.keys > 0 {
		first := r.backquoted(0)
		end = " ON DUPLICATE KEY UPDATE " + first + " = " + first
		if r.keys < all {
			end = " ON DUPLICATE KEY UPDATE " + r.list(r.keys, all, ", ", func(i int) string { return r.backquoted(i) + " = VALUES(" + r.backquoted(i) + ")" })
		}
	}
	return func(n int) string {
		return "INSERT INTO " + t.name.backquoted() + " (" + r.list(0, all, ", ", r.backquoted) + ") VALUES " + placeholders(all, n) + end
	}
}
