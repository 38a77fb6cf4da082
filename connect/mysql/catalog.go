package mysql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/mysql/internal/values"
)

// definition of a table as information_schema has it now.
type tableDefinition struct {
	id      debezium.TableID
	columns []values.Column
	key     []string
}

func (d *tableDefinition) column(name string) *values.Column {
	if d == nil {
		return nil
	}
	for i := range d.columns {
		if strings.EqualFold(d.columns[i].Name, name) {
			return &d.columns[i]
		}
	}
	return nil
}

// tableNames that are captured, in the order in which a snapshot reads them, without the table of
// signals, which no snapshot reads.
func (o *options) tableNames(db *database) ([]debezium.TableID, error) {
	order := map[string]string{"ascending": "TABLE_ROWS, ", "descending": "TABLE_ROWS DESC, "}[lower(o.Values, "snapshot.tables.order.by.row.count")]
	rows, err := db.rows("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' ORDER BY " + order + "TABLE_SCHEMA, TABLE_NAME")
	if err != nil {
		return nil, fmt.Errorf("read the names of tables: %w", err)
	}
	var out []debezium.TableID
	for _, row := range rows {
		if id := (debezium.TableID{Catalog: *row[0], Table: *row[1]}); o.Tables.Captured(id) && !slices.Contains(o.Signals, id) {
			out = append(out, id)
		}
	}
	return out, nil
}

// define a table; nil where it is not there.
func (s *schemas) define(db *database, id debezium.TableID) (*tableDefinition, error) {
	rows, err := db.rows(`SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLUMN_COMMENT, CHARACTER_SET_NAME
		FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`, id.Catalog, id.Table)
	if err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", id, err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	d := &tableDefinition{id: id}
	for _, row := range rows {
		c := values.ParseType(*row[1])
		extra := strings.ToUpper(textOf(row[4]))
		c.Name, c.NotNull, c.Comment, c.Charset = *row[0], *row[2] == "NO", textOf(row[5]), textOf(row[6])
		c.Serial = strings.Contains(extra, "AUTO_INCREMENT")
		c.Generated = strings.Contains(extra, " GENERATED") && !strings.Contains(extra, "DEFAULT_GENERATED")
		if row[3] != nil {
			c.Default, c.Computed = values.DefaultOf(*row[3], s.options.flavor == mariadb, strings.Contains(extra, "DEFAULT_GENERATED"))
		}
		d.columns = append(d.columns, c)
	}
	return d, s.defineKey(db, d)
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// defineKey is the primary key, or the first unique one of whole columns without nulls.
func (s *schemas) defineKey(db *database, d *tableDefinition) error {
	rows, err := db.rows(`SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS
		WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`, d.id.Catalog, d.id.Table)
	if err != nil {
		return fmt.Errorf("read the keys of %s: %w", d.id, err)
	}
	var unfit []string
	for _, row := range rows {
		name := textOf(row[0])
		if c := d.column(textOf(row[1])); name != "PRIMARY" && (c == nil || !c.NotNull || row[2] != nil) {
			unfit = append(unfit, name)
		}
	}
	chosen := ""
	for _, row := range rows {
		name := textOf(row[0])
		if slices.Contains(unfit, name) || chosen != "" && name != chosen {
			continue
		}
		chosen = name
		d.key = append(d.key, textOf(row[1]))
	}
	return nil
}
