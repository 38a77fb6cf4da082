package postgres

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// identities sets replica identities, and tells of tables that have none: the server refuses to
// update and delete their rows while they are published.
func (r *run) identities(ctx context.Context) error {
	if err := r.setIdentities(ctx); err != nil {
		return err
	}
	rows, err := r.db.Query(ctx, unidentifiedSQL)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (id debezium.TableID, err error) {
		err = row.Scan(&id.Schema, &id.Table)
		return id, err
	})
	if err != nil {
		return fmt.Errorf("read the replica identities of tables: %w", err)
	}
	for _, id := range names {
		if r.options.Tables.Captured(id) {
			r.log.Warn("postgres: a table has neither a primary key nor a replica identity, so that the server refuses to update and delete its rows: give it a primary key, or ALTER TABLE … REPLICA IDENTITY FULL", "table", id.String())
		}
	}
	return nil
}

//go:embed unidentified.sql
var unidentifiedSQL string

// setIdentities sets those of replica.identity.autoset.values.
func (r *run) setIdentities(ctx context.Context) error {
	text := r.options.Values.String("replica.identity.autoset.values")
	if text == "" {
		return nil
	}
	tables, err := r.captured(ctx)
	if err != nil {
		return err
	}
	for _, part := range strings.Split(text, ",") {
		m := identityPattern.FindStringSubmatch(part)
		matcher, err := debezium.ParseMatcher(m[1])
		if err != nil {
			return err
		}
		identity, want := strings.ToUpper(m[2]), byte(0)
		if m[3] != "" {
			identity = "USING INDEX " + pgx.Identifier{m[3]}.Sanitize()
		} else {
			want = strings.ToLower(m[2])[0]
		}
		for _, t := range tables {
			if !matcher.Match(t.Schema+"."+t.Name) || t.Identity == want {
				continue
			}
			statement := "ALTER TABLE " + pgx.Identifier{t.Schema, t.Name}.Sanitize() + " REPLICA IDENTITY " + identity
			r.log.Info("postgres: set a replica identity", "statement", statement)
			if _, err := r.db.Exec(ctx, statement); err != nil {
				return fmt.Errorf("replica.identity.autoset.values: %s: %w", statement, err)
			}
		}
	}
	return nil
}
