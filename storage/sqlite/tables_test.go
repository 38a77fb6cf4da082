package sqlite

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
)

func TestIndexOn(t *testing.T) {
	for text, want := range map[string]string{
		`CREATE INDEX i ON t (a)`:                              `CREATE INDEX "n" ON "c" (a)`,
		`CREATE UNIQUE INDEX i ON t(a DESC, b)`:                `CREATE UNIQUE INDEX "n" ON "c"(a DESC, b)`,
		"create unique\n index\t\"i\" on \"my \"\"t\"(a)":      `CREATE UNIQUE INDEX "n" ON "c"(a)`,
		"CREATE INDEX [on]ON[t] (a) WHERE a > 'ON t'":          `CREATE INDEX "n" ON "c" (a) WHERE a > 'ON t'`,
		"CREATE INDEX `i```ON'주문'(lower(a), b COLLATE NOCASE)": `CREATE INDEX "n" ON "c"(lower(a), b COLLATE NOCASE)`,
		"CREATE /* ON x */ INDEX -- why\n i ON t -- all\n(a)":  "CREATE INDEX \"n\" ON \"c\" -- all\n(a)",
		`CREATE INDEX "ON" ON t (a)`:                           `CREATE INDEX "n" ON "c" (a)`,
		`CREATE UNIQUE INDEX 주문 ON 주문표(a)`:                     `CREATE UNIQUE INDEX "n" ON "c"(a)`,
		`CREATE INDEX`:               "",
		`CREATE INDEX i`:             "",
		`CREATE INDEX "i ON t (a)`:   "",
		`CREATE INDEX i ON`:          "",
		``:                           "",
		`CREATE INDEX /* i ON t (a)`: "",
		`(a)`:                        "",
	} {
		got, err := indexOn(text, "n", "c")
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s:\n got %s, %v\nwant %s", text, got, err, want)
		}
	}
}

// TestCopiesOfOddTables: whatever SQLite lets be declared is in the copy, and
// swapped.
func TestCopiesOfOddTables(t *testing.T) {
	for name, ddl := range map[string]string{
		"strict":          `CREATE TABLE "v" (id INTEGER PRIMARY KEY, a TEXT NOT NULL) STRICT; CREATE INDEX v_a ON v (a)`,
		"without rowid":   `CREATE TABLE v (id INTEGER, a TEXT DEFAULT ('x' || 'y'), PRIMARY KEY (id, a)) WITHOUT ROWID`,
		"autoincrement":   `CREATE TABLE IF NOT EXISTS main.v (id INTEGER PRIMARY KEY AUTOINCREMENT, a)`,
		"checks":          `CREATE TABLE v (id INTEGER UNIQUE, a TEXT CHECK (v.a <> 'CREATE TABLE v'), CONSTRAINT one UNIQUE (id, a))`,
		"generated":       `CREATE TABLE v (id INTEGER, a TEXT, b AS (id + 1) STORED, c AS (a || id)); CREATE INDEX v_c ON v (c, b)`,
		"partial indexes": `CREATE TABLE [v](id INTEGER, a TEXT); CREATE UNIQUE INDEX [v one] ON [v] (id) WHERE a IS NOT NULL; CREATE INDEX "v ""2""" ON v (lower(a) DESC)`,
		"of a select":     `CREATE TABLE v AS SELECT 1 AS id, 'z' AS a; DELETE FROM v`,
	} {
		t.Run(name, func(t *testing.T) {
			db := openTest(t, Config{})
			ctx := t.Context()
			exec(t, db, strings.Split(ddl, ";")...)
			exec(t, db, "INSERT INTO v (id, a) VALUES (1, 'old')")
			before := schemaOf(t, db, "v")
			for range 2 {
				if err := db.CopyTables(ctx, []string{"V"}, "_copy"); err != nil {
					t.Fatal(err)
				}
				exec(t, db, "INSERT INTO V_copy (id, a) VALUES (2, 'new')")
				if err := db.SwapTables(ctx, []string{"V"}, "_copy", "live", "rebuild"); err != nil {
					t.Fatal(err)
				}
				if err := db.DropCopies(ctx, []string{"V"}, "_copy"); err != nil {
					t.Fatal(err)
				}
				if got := column(t, db, "SELECT a FROM v"); !slices.Equal(got, []string{"new"}) {
					t.Fatalf("rows %q", got)
				}
			}
			if after := schemaOf(t, db, "v"); !slices.Equal(after, before) {
				t.Fatalf("the schema was\n%q, and is\n%q", before, after)
			}
			if got := column(t, db, "PRAGMA integrity_check"); !slices.Equal(got, []string{"ok"}) {
				t.Fatalf("integrity %q", got)
			}
		})
	}
}

// schemaOf a table and what belongs to it, without quotes, case and spaces.
func schemaOf(t *testing.T, db *DB, table string) []string {
	t.Helper()
	all := column(t, db, "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema WHERE tbl_name = $1 COLLATE NOCASE ORDER BY type, name", table)
	for i, text := range all {
		all[i] = strings.ToLower(strings.NewReplacer(`"`, "", "[", "", "]", "", " ", "").Replace(text))
	}
	return all
}

func column(t *testing.T, db *DB, query string, args ...any) (found []string) {
	t.Helper()
	err := db.View(t.Context(), func(q storage.Querier) (err error) {
		found, err = texts(t.Context(), q, query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestRefusedTables: nothing is changed by what is refused.
func TestRefusedTables(t *testing.T) {
	for name, c := range map[string]struct{ ddl, want string }{
		"a trigger on it":             {"CREATE TABLE v (id); CREATE TRIGGER t AFTER INSERT ON v BEGIN DELETE FROM other@ END", "triggers"},
		"a trigger that names it":     {"CREATE TABLE v (id); CREATE TRIGGER t AFTER INSERT ON other BEGIN DELETE FROM v@ END", "trigger t refers to it"},
		"a view on it":                {"CREATE TABLE v (id); CREATE VIEW w AS SELECT id FROM v", "view w refers to it"},
		"a foreign key of it":         {"CREATE TABLE v (id REFERENCES other (id))", "foreign keys"},
		"a foreign key to it":         {"CREATE TABLE v (id PRIMARY KEY); CREATE TABLE child (v REFERENCES v (id))", "table child refers to it"},
		"it is a view":                {"CREATE VIEW v AS SELECT 1 AS id", "is a view"},
		"it is virtual":               {"CREATE VIRTUAL TABLE v USING fts5(id)", "is a virtual"},
		"it is not there":             {"CREATE TABLE w (id)", "no such table"},
		"another has an index's name": {"CREATE TABLE v (id); CREATE INDEX i ON v (id); CREATE INDEX i_copy ON other (id)", "i_copy"},
		"another has its name":        {"CREATE TABLE v (id); CREATE VIEW v_copy AS SELECT 1", "v_copy"},
	} {
		t.Run(name, func(t *testing.T) {
			db := openTest(t, Config{})
			exec(t, db, "CREATE TABLE other (id PRIMARY KEY)", "CREATE TABLE first (id)")
			for _, one := range strings.Split(c.ddl, ";") {
				exec(t, db, strings.ReplaceAll(one, "@", ";"))
			}
			before := column(t, db, "SELECT name || coalesce(sql, '') FROM sqlite_schema ORDER BY name")
			err := db.CopyTables(t.Context(), []string{"first", "v"}, "_copy")
			if err == nil || !strings.Contains(err.Error(), c.want) || db.Transient(err) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if after := column(t, db, "SELECT name || coalesce(sql, '') FROM sqlite_schema ORDER BY name"); !slices.Equal(after, before) {
				t.Fatalf("the schema was\n%q, and is\n%q", before, after)
			}
		})
	}
}

// TestChangedSinceTheCopy: a migration of the live table is not lost.
func TestChangedSinceTheCopy(t *testing.T) {
	db := openTest(t, Config{})
	ctx := t.Context()
	exec(t, db, "CREATE TABLE v (id INTEGER PRIMARY KEY, a)", "CREATE INDEX v_a ON v (a)")
	if err := db.CopyTables(ctx, []string{"v"}, "_copy"); err != nil {
		t.Fatal(err)
	}
	exec(t, db, "ALTER TABLE v ADD COLUMN b")
	if err := db.SwapTables(ctx, []string{"v"}, "_copy", "live", "rebuild"); err == nil || !strings.Contains(err.Error(), "rebuild once more") {
		t.Fatalf("got %v", err)
	}
	if err := db.CopyTables(ctx, []string{"v"}, "_copy"); err != nil {
		t.Fatal(err)
	}
	exec(t, db, "DROP INDEX v_a", "CREATE INDEX v_b ON v (b)", "INSERT INTO v (id, b) VALUES (1, x'00ff')", "INSERT INTO v_copy (id, b) VALUES (1, 9e999)")
	found, err := db.CompareTables(ctx, []string{"v"}, "_copy", nil, 5)
	if err != nil || found[0].OnlyLive != 1 || found[0].OnlyCopy != 1 || found[0].LiveRows[0] != `{"id":1,"a":null,"b":"AP8="}` || found[0].CopyRows[0] != `{"id":1,"a":null,"b":"+Inf"}` {
		t.Fatalf("compared: %+v, %v", found, err)
	}
	if err := db.SwapTables(ctx, []string{"v"}, "_copy", "live", "rebuild"); err != nil {
		t.Fatal(err)
	}
	if got := column(t, db, "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'v'"); !slices.Equal(got, []string{"v_b"}) {
		t.Fatalf("indexes %q", got)
	}
}

// TestBehindOfAnotherJournal: of events that are not in this file's journal the
// offsets alone count.
func TestBehindOfAnotherJournal(t *testing.T) {
	db := openTest(t, Config{})
	ctx := context.Background()
	exec(t, db, "CREATE TABLE v (id)")
	if err := db.CopyTables(ctx, []string{"v"}, "_copy"); err != nil {
		t.Fatal(err)
	}
	save := func(name string, seqNr int64) {
		t.Helper()
		claim, err := db.ClaimSlices(ctx, name, "elsewhere", journal.SliceRange{Min: 400, Max: 500}, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(ctx, func(tx *Tx) error {
			return tx.SaveOffsets(ctx, claim, []projection.Offset{{PersistenceID: "p1", Slice: 449, SeqNr: seqNr}}, []byte(`{"xid":5}`))
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := db.TrimOffsets(ctx, claim, time.Now().Add(time.Hour)); n != 0 || err != nil {
			t.Fatalf("%d offsets were trimmed, %v", n, err)
		}
	}
	save("live", 2)
	save("rebuild", 1)
	if err := db.SwapTables(ctx, []string{"v"}, "_copy", "live", "rebuild"); err == nil || !strings.Contains(err.Error(), "p1") {
		t.Fatalf("got %v", err)
	}
	save("rebuild", 2)
	if err := db.SwapTables(ctx, []string{"v"}, "_copy", "live", "rebuild"); err != nil {
		t.Fatal(err)
	}
}
