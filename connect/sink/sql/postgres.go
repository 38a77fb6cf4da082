package sql

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/data"
)

// postgres is PostgreSQL, with the schema of its extension PostGIS.
type postgres struct{ postgis string }

func (postgres) open(ctx context.Context, s *settings) (session, error) {
	c, err := s.connConfig()
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	return postgresSession{conn}, nil
}

func (postgres) natural(s *data.Schema) string { return natural(s, "") }

func (postgres) encode(s *data.Schema, v any, t columnType) ([]byte, error) { return encode(s, v, t) }

func (p postgres) creation(c *change) string { return creation(c, p.postgis) }

func (p postgres) alterations(name tableName, missing []field) []string {
	return []string{alteration(name, missing, p.postgis)}
}

func (postgres) passing(err error) bool { return passing(err) }

func (postgres) refusable(err error) bool { return refusable(err) }

// postgresSession is a connection to PostgreSQL.
type postgresSession struct{ conn *pgx.Conn }

func (s postgresSession) define(ctx context.Context, statement string) error {
	_, err := s.conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol)
	return err
}

// run has one exchange with the server.
func (s postgresSession) run(ctx context.Context, batches []*batch, mode string) error {
	var all pgx.Batch
	for _, b := range batches {
		b.queue(&all, mode)
	}
	if all.Len() == 0 {
		return nil
	}
	return s.conn.SendBatch(ctx, &all).Close()
}

func (s postgresSession) closed() bool { return s.conn.IsClosed() }

func (s postgresSession) close(ctx context.Context) { _ = s.conn.Close(ctx) }

const columnsQuery = `SELECT attname, format_type(atttypid, -1), attgenerated <> '', attidentity = 'a'
FROM pg_attribute WHERE attrelid = to_regclass($1)::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum`

func (s postgresSession) load(ctx context.Context, name tableName) (*table, error) {
	found, err := s.conn.Query(ctx, columnsQuery, name.quoted())
	if err != nil {
		return nil, err
	}
	out := &table{name: name, columns: map[string]column{}}
	var c column
	_, err = pgx.ForEachRow(found, []any{&c.name, (*string)(&c.kind), &c.generated, &c.always}, func() error {
		out.columns[c.name] = c
		return nil
	})
	if err != nil || len(out.columns) == 0 {
		return nil, err
	}
	return out, nil
}
