package postgres

import (
	"io/fs"
	"strings"
)

// journalMigrations are the files with tables that others share.
var journalMigrations = []string{"0002_journal.sql", "0003_projection.sql", "0004_next_seq_nr.sql"}

const slicesOfPekko = `
-- Only Pekko's own queries by slices need these:
-- CREATE INDEX event_journal_slice_idx ON @event_journal (slice, entity_type, db_timestamp, seq_nr);
-- CREATE INDEX durable_state_slice_idx ON @durable_state (slice, entity_type, db_timestamp, revision);
`

// JournalDDL is what Open does for the event store and for projections in a schema
// (the one of the search path where it is ""), as a script for psql: to read, or for
// an administrator to run beforehand, also where Pekko made the tables. It can be run
// again.
func JournalDDL(schema string) string {
	var script strings.Builder
	script.WriteString("BEGIN;\n")
	for _, name := range journalMigrations {
		text, err := fs.ReadFile(ownFiles(), name)
		if err != nil {
			panic("postgres: " + err.Error()) // it is compiled in
		}
		script.WriteString("\n" + strings.ReplaceAll(string(text), "\r\n", "\n"))
	}
	script.WriteString(slicesOfPekko + "\nCOMMIT;\n")
	return newNames(schema).render(script.String())
}
