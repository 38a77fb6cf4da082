package storagetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/projection"
)

const copied = "__copy"

func tableCases[T ProjectionTx]() map[string]func(projectionCase[T], *testing.T) {
	type c = projectionCase[T]
	return map[string]func(c, *testing.T){
		"a copy is empty, with keys and defaults": c.copyTables,
		"copies are made anew, and dropped":       c.copyAgain,
		"names that cannot be copied":             c.oddTables,
		"compare":                                 c.compare,
		"compare rows that are there twice":       c.compareTwice,
		"compare without some columns":            c.compareIgnoring,
	}
}

// tables skips the test where the database cannot copy any.
func (c projectionCase[T]) tables(t *testing.T) projection.Tables {
	t.Helper()
	tables, ok := c.db.(projection.Tables)
	if !ok {
		t.Skip("the database has no projection.Tables")
	}
	c.exec(t, "CREATE TABLE thing (id BIGINT PRIMARY KEY, n BIGINT NOT NULL DEFAULT 7, name TEXT)",
		"CREATE UNIQUE INDEX thing_name ON thing (name)",
		"CREATE TABLE part (thing BIGINT NOT NULL, note TEXT)",
		"CREATE INDEX part_thing ON part (thing)",
		"INSERT INTO thing (id, name) VALUES (1, 'a'), (2, 'b')")
	return tables
}

var twoTables = []string{"thing", "part"}

func (c projectionCase[T]) copyTables(t *testing.T) {
	tables := c.tables(t)
	must(t, tables.CopyTables(t.Context(), twoTables, copied))
	equal(t, "rows of the copy", c.number(t, "SELECT count(*) FROM thing__copy"), 0)
	equal(t, "rows of the other copy", c.number(t, "SELECT count(*) FROM part__copy"), 0)
	c.exec(t, "INSERT INTO thing__copy (id, name) VALUES (1, 'z')")
	equal(t, "the default", c.number(t, "SELECT n FROM thing__copy"), 7)
	for _, s := range []string{
		"INSERT INTO thing__copy (id, name) VALUES (1, 'y')", "INSERT INTO thing__copy (id, name) VALUES (2, 'z')",
		"INSERT INTO thing__copy (id, n, name) VALUES (2, NULL, 'y')",
	} {
		if c.tryExec(t, s) == nil {
			t.Fatalf("the copy let pass: %s", s)
		}
	}
	equal(t, "rows of the table", c.number(t, "SELECT count(*) FROM thing"), 2)
}

func (c projectionCase[T]) copyAgain(t *testing.T) {
	ctx, tables := t.Context(), c.tables(t)
	must(t, tables.DropCopies(ctx, twoTables, copied))
	must(t, tables.CopyTables(ctx, twoTables, copied))
	c.exec(t, "INSERT INTO thing__copy (id, name) VALUES (1, 'z')")
	must(t, tables.CopyTables(ctx, twoTables, copied))
	equal(t, "rows of the copy", c.number(t, "SELECT count(*) FROM thing__copy"), 0)
	for range 2 {
		must(t, tables.DropCopies(ctx, twoTables, copied))
	}
	if c.tryExec(t, "INSERT INTO thing__copy (id, name) VALUES (1, 'z')") == nil {
		t.Fatal("the copy was not dropped")
	}
	equal(t, "rows of the table", c.number(t, "SELECT count(*) FROM thing"), 2)
}

func (c projectionCase[T]) oddTables(t *testing.T) {
	ctx, tables := t.Context(), c.tables(t)
	for _, names := range [][]string{nil, {}, {""}, {"nothing"}, {"thing; DROP TABLE part"}, {`thing"`}, {"thing", "nothing"}, {"thing", "thing"}} {
		if err := tables.CopyTables(ctx, names, copied); err == nil {
			t.Errorf("copies of %q were made", names)
		}
	}
	if err := tables.CopyTables(ctx, twoTables, ""); err == nil {
		t.Error("copies of the same names were made")
	}
	equal(t, "rows of the table", c.number(t, "SELECT count(*) FROM thing"), 2)
	equal(t, "rows of the other", c.number(t, "SELECT count(*) FROM part"), 0)
	if c.tryExec(t, "INSERT INTO thing__copy (id, name) VALUES (1, 'z')") == nil {
		t.Error("a part of what failed is there")
	}
}

func (c projectionCase[T]) difference(t *testing.T, limit int, ignore ...string) []projection.Difference {
	t.Helper()
	found, err := c.db.(projection.Tables).CompareTables(t.Context(), twoTables, copied, ignore, limit)
	must(t, err)
	equal(t, "tables", len(found), 2)
	return found
}

func differs(t *testing.T, what string, d projection.Difference, table string, live, copies, onlyLive, onlyCopy int64) {
	t.Helper()
	got := fmt.Sprintln(d.Table, d.Live, d.Copy, d.OnlyLive, d.OnlyCopy)
	equal(t, what, got, fmt.Sprintln(table, live, copies, onlyLive, onlyCopy))
}

// rowsAre compares rows shown as JSON by their column id or thing.
func rowsAre(t *testing.T, what string, rows []string, want ...float64) {
	t.Helper()
	var got []float64
	for _, row := range rows {
		var fields map[string]any
		if err := json.Unmarshal([]byte(row), &fields); err != nil {
			t.Fatalf("%s: %s: %v", what, row, err)
		}
		id, ok := fields["id"].(float64)
		if !ok {
			id, ok = fields["thing"].(float64)
		}
		if !ok {
			t.Fatalf("%s: %s has no number", what, row)
		}
		got = append(got, id)
	}
	same(t, what, got, want)
}

func (c projectionCase[T]) compare(t *testing.T) {
	must(t, c.tables(t).CopyTables(t.Context(), twoTables, copied))
	d := c.difference(t, 10)
	differs(t, "an empty copy", d[0], "thing", 2, 0, 2, 0)
	rowsAre(t, "rows of the table", d[0].LiveRows, 1, 2)
	rowsAre(t, "rows of the copy", d[0].CopyRows)
	differs(t, "two empty ones", d[1], "part", 0, 0, 0, 0)
	c.exec(t, "INSERT INTO thing__copy (id, n, name) VALUES (1, 7, 'a'), (2, 8, 'b'), (3, 7, NULL)")
	d = c.difference(t, 10)
	differs(t, "one changed, one more", d[0], "thing", 2, 3, 1, 2)
	rowsAre(t, "rows of the table", d[0].LiveRows, 2)
	rowsAre(t, "rows of the copy", d[0].CopyRows, 2, 3)
	if !strings.Contains(d[0].LiveRows[0], `"b"`) {
		t.Fatalf("a row that is shown: %s", d[0].LiveRows[0])
	}
	equal(t, "rows shown up to the limit", len(c.difference(t, 1)[0].CopyRows), 1)
	equal(t, "rows shown up to none", len(c.difference(t, 0)[0].CopyRows), 0)
	c.exec(t, "DELETE FROM thing__copy WHERE id = 3", "UPDATE thing__copy SET n = 7")
	differs(t, "the same", c.difference(t, 10)[0], "thing", 2, 2, 0, 0)
}

// compareTwice: a row that is there more often is a difference; NULL is equal to
// NULL.
func (c projectionCase[T]) compareTwice(t *testing.T) {
	must(t, c.tables(t).CopyTables(t.Context(), twoTables, copied))
	c.exec(t, "INSERT INTO part VALUES (1, NULL), (1, NULL), (1, NULL), (2, 'x')",
		"INSERT INTO part__copy VALUES (1, NULL), (2, 'x'), (2, 'x')")
	d := c.difference(t, 10)[1]
	differs(t, "rows that are there more often", d, "part", 4, 3, 2, 1)
	rowsAre(t, "rows of the table", d.LiveRows, 1, 1)
	rowsAre(t, "rows of the copy", d.CopyRows, 2)
}

func (c projectionCase[T]) compareIgnoring(t *testing.T) {
	tables := c.tables(t)
	must(t, tables.CopyTables(t.Context(), twoTables, copied))
	c.exec(t, "INSERT INTO thing__copy (id, n, name) VALUES (1, 70, 'a'), (2, 80, 'b')")
	differs(t, "with all columns", c.difference(t, 10)[0], "thing", 2, 2, 2, 2)
	differs(t, "without one", c.difference(t, 10, "n", "nothing")[0], "thing", 2, 2, 0, 0)
	if _, err := tables.CompareTables(t.Context(), twoTables, copied, []string{"thing", "note"}, 1); err == nil {
		t.Fatal("a table was compared without any column")
	}
}
