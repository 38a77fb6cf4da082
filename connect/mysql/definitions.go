package mysql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// definitions makes records of what defines tables and databases, with include.schema.changes.
type definitions struct {
	records *debezium.Definitions
	blocks  *debezium.SourceBlocks
}

func newDefinitions(o *options, headers []plugin.Header) *definitions {
	if !o.definitions {
		return nil
	}
	schema := sourceSchemas[o.flavor]
	return &definitions{
		records: debezium.NewDefinitions(o.Settings, string(o.flavor), schema, headers),
		blocks:  debezium.NewSourceBlocks(schema, string(o.flavor), o.Naming.Prefix),
	}
}

// record of what a statement did.
func (d *definitions) record(did effect, tables []debezium.TableChange, from origin, at *position) plugin.SourceRecord {
	source := d.blocks.New(from.time, from.snapshot, did.database)
	v := source.Values
	if len(did.tables) > 0 {
		v[sourceTable] = did.tables[0].Table
	}
	v[sourceServer], v[sourceFile], v[sourcePos], v[sourceRow] = from.server, from.place.file, int64(from.place.pos), int32(0)
	if from.gtid != "" {
		v[sourceGTID] = from.gtid
	}
	r := d.records.Record(debezium.DefinitionChange{Source: source, At: time.Now(), Database: did.database, Statement: did.statement, Tables: tables}, at)
	r.Bytes = 1000 + 4*len(did.statement)
	for _, t := range tables {
		if t.Table != nil {
			r.Bytes += 400 * len(t.Table.Columns)
		}
	}
	return r
}

// origin of a record of a definition.
type origin struct {
	time     time.Time
	snapshot debezium.Snapshot
	server   int64
	place    place
	gtid     string
}

// defined makes records of a statement of the log: of each table that it defines, as the server has that
// now, and of databases. Statements for databases that are not captured are left out.
func (s *stream) defined(h *replication.EventHeader, text, database string, start place) error {
	if s.definitions == nil || s.passed() || s.tx.foreign {
		return nil
	}
	if p := s.progress(); p != nil && p.Defined != allDefined {
		return nil // the snapshot that goes on tells of all tables
	}
	all := effects(text, database)
	all = slices.DeleteFunc(all, func(e effect) bool {
		return !s.options.Tables.Database(e.database) || systemDatabase(e.database)
	})
	if len(all) == 0 {
		return nil
	}
	done := s.doneParts()
	for i, e := range all {
		if i < done {
			continue
		}
		var changes []debezium.TableChange
		for _, id := range e.tables {
			change, err := s.schemas.tableChange(s.db, e.kind, id)
			if err != nil {
				return err
			}
			changes = append(changes, change)
		}
		at := s.at(h)
		at.part = i + 1
		s.out = append(s.out, s.definitions.record(e, changes, origin{s.time(h), debezium.NoSnapshot, int64(h.ServerID), start, s.tx.gtid}, at))
		s.tx.records++
	}
	return nil
}

// doneParts are how many records of the statement were made before a restart.
func (s *stream) doneParts() (n int) {
	n, s.tx.skipPart = s.tx.skipPart, 0
	if r := s.resume; r != nil && !s.tx.open && r.events == 0 && r.rows == 0 {
		n, s.resume = r.part, nil
	}
	return n
}

// tableChange is what became of a table, as the server has it now.
func (s *schemas) tableChange(db *database, kind string, id debezium.TableID) (debezium.TableChange, error) {
	change := debezium.TableChange{Type: kind, ID: id}
	if kind == dropped {
		return change, nil
	}
	d, err := s.define(db, id)
	if err != nil || d == nil {
		return change, err // it is not there any more
	}
	rows, err := db.rows("SELECT TABLE_COLLATION, TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?", id.Catalog, id.Table)
	if err != nil {
		return change, fmt.Errorf("read the definition of %s: %w", id, err)
	}
	t := &debezium.TableDefinition{PrimaryKey: d.key}
	comments := s.options.Values.Bool("include.schema.comments")
	if len(rows) > 0 {
		t.Charset, _, _ = strings.Cut(textOf(rows[0][0]), "_")
		if comments {
			t.Comment = textOf(rows[0][1])
		}
	}
	for i := range d.columns {
		t.Columns = append(t.Columns, columnDefinition(&d.columns[i], comments))
	}
	change.Table = t
	return change, nil
}
