package postgres

import (
	"strings"

	"github.com/pabal-dev/pabal/journal"
)

var (
	slicesHead    = statementFile("slices_head")
	slicesHolder  = statementFile("slices_holder")
	slicesPassed  = statementFile("slices_passed")
	slicesPage    = journalFile("slices_page")
	slicesBefore  = journalFile("slices_before")
	slicesHighest = journalFile("slices_highest")
	slicesFirst   = journalFile("slices_first")
	slicesCount   = journalFile("slices_count")
	slicesSince   = journalFile("slices_since")
	slicesForeign = journalFile("slices_foreign")
	slicesAdopt   = journalFile("slices_adopt")
)

// perKind is a statement for either table.
type perKind map[journal.Kind]statement

// journalFile registers a file as it is, for event_journal, and with the columns of
// durable_state. Deleted events are nothing to a reader, a deleted state is.
func journalFile(name string) perKind {
	events := statementFile(name)
	states := strings.NewReplacer(
		"@event_journal", "@durable_state",
		"seq_nr", "revision",
		"event_ser_id", "state_ser_id",
		"event_ser_manifest", "state_ser_manifest",
		"event_payload", "state_payload",
		" AND NOT deleted", "",
		"deleted, writer, adapter_manifest", "state_ser_id = 0 AND state_payload = '', '', ''",
		"meta_ser_id, meta_ser_manifest, meta_payload", "NULL::integer, NULL::text, NULL::bytea",
	).Replace(statementTexts[events])
	statementTexts = append(statementTexts, states)
	return perKind{journal.Events: events, journal.States: statement(len(statementTexts) - 1)}
}
