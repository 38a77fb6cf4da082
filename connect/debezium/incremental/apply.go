package incremental

import "github.com/pabal-dev/pabal/connect/debezium"

// Tables is what a source knows of its tables' names.
type Tables interface {
	// Known are the tables that patterns in signals are matched against.
	Known() []debezium.TableID
	// Parse reads a table's full name.
	Parse(name string) (debezium.TableID, bool)
}

// Apply what a signal asks for, by the signal's id. The rows are to be sent now, as those of Close.
// A blocking snapshot waits in the State then. ok is false where it asks for something else, which is
// the source's: a message to log, definitions of tables.
func (s *Snapshot) Apply(id string, a debezium.Action, tables Tables) (rows []Emission, ok bool) {
	s.told = s.Told()
	switch a := a.(type) {
	case debezium.OpenWindow:
		s.Open(a.ID)
	case debezium.CloseWindow:
		rows = s.Close(a.ID)
	case debezium.ExecuteSnapshot:
		if a.Blocking {
			s.block(id, a)
			break
		}
		s.Execute(id, a, tables.Known(), tables.Parse)
	case debezium.StopSnapshot:
		s.Stop(a, tables.Known())
	case debezium.PauseSnapshot:
		s.Pause()
	case debezium.ResumeSnapshot:
		s.Resume()
	default:
		return nil, false
	}
	return rows, true
}
