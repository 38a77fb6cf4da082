package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/postgres/internal/catalog"
)

// chunkTable is a table with the columns of its order.
type chunkTable struct {
	*snapshotTable
	from, condition string
}

func (c *chunks) table(ctx context.Context, t incremental.Table) (*chunkTable, error) {
	names, err := catalog.Names(ctx, c.db)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(names, func(n catalog.Table) bool { return n.Schema == t.ID.Schema && n.Name == t.ID.Table })
	if i < 0 {
		return nil, incremental.ErrUnknownTable
	}
	n := &snapshotRun{run: &run{options: c.run.options, log: c.run.log, db: c.db, schemas: c.schemas}}
	if err := c.types(ctx, &names[i]); err != nil {
		return nil, err
	}
	st, err := n.table(ctx, &names[i])
	if err != nil {
		return nil, err
	}
	if t.SurrogateKey != "" {
		st.orderBy(&names[i], t.SurrogateKey, c.schemas)
	}
	if len(st.key) == 0 {
		return nil, incremental.ErrNoKey
	}
	return &chunkTable{snapshotTable: st, from: pgx.Identifier{t.ID.Schema, t.ID.Table}.Sanitize(), condition: t.Condition}, nil
}

// types of a table's columns are read again where there are new ones.
func (c *chunks) types(ctx context.Context, t *catalog.Table) error {
	if err := catalog.Fill(ctx, c.db, t); err != nil {
		return err
	}
	for _, column := range t.Columns {
		if _, known := c.schemas.types.Get(column.Type); !known {
			return c.schemas.reload(ctx, c.db)
		}
	}
	return nil
}

// orderBy another column than the primary key; none where there is no such column.
func (t *snapshotTable) orderBy(from *catalog.Table, name string, s *schemas) {
	t.key, t.types, t.keyNames, t.keyAt = nil, nil, nil, nil
	for at, place := range t.place {
		if c := from.Columns[place]; c.Name == name {
			t.orderedBy(c, s, at)
		}
	}
}

func (t *chunkTable) where(more ...string) string {
	if t.condition != "" {
		more = append(more, "("+t.condition+")")
	}
	if len(more) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(more, " AND ")
}

func (t *chunkTable) row() string { return "ROW(" + strings.Join(t.key, ", ") + ")" }
