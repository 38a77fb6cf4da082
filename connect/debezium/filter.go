package debezium

import (
	"sync"

	"github.com/pabal-dev/pabal/connect/config"
)

// TableFilter says which tables are captured. It is safe for use by many goroutines.
type TableFilter struct {
	databases, schemas, tables lists
	name                       func(TableID) string
	system                     func(TableID) bool
	signals                    map[string]bool // names

	mu   sync.Mutex
	seen map[TableID]bool
}

// remembered bounds the decisions that a filter remembers.
const remembered = 10_000

// Captured says whether changes of the table become records. The table of signals is captured
// whatever the lists say.
func (f *TableFilter) Captured(id TableID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	decided, ok := f.seen[id]
	if !ok {
		decided = f.decide(id)
		if len(f.seen) >= remembered {
			clear(f.seen)
		}
		f.seen[id] = decided
	}
	return decided
}

func (f *TableFilter) decide(id TableID) bool {
	return f.Eligible(id) && f.tables.allow(f.name(id)) || f.signals[f.name(id)]
}

// Eligible says whether the lists of databases and schemas allow the table, whatever those of
// tables say.
func (f *TableFilter) Eligible(id TableID) bool {
	return f.databases.allow(id.Catalog) && f.schemas.allow(id.Schema) && (f.system == nil || !f.system(id))
}

// Database says whether the lists of databases allow it.
func (f *TableFilter) Database(name string) bool { return f.databases.allow(name) }

// Schema says whether the lists of schemas allow it.
func (f *TableFilter) Schema(name string) bool { return f.schemas.allow(name) }

// lists are one of what to include, which decides alone where it is there, and one of what to
// exclude.
type lists struct{ include, exclude *Matcher }

func (l lists) allow(name string) bool {
	if l.include != nil {
		return l.include.Match(name)
	}
	return !l.exclude.Match(name)
}

// readLists of the keys that are in the definition.
func readLists(v config.Values, include, exclude string) (l lists, err error) {
	if l.include, err = readMatcher(v, include); err != nil {
		return l, err
	}
	l.exclude, err = readMatcher(v, exclude)
	return l, err
}

func readMatcher(v config.Values, key string) (*Matcher, error) {
	text, _ := v.Raw(key)
	m, err := ParseMatcher(text)
	if err != nil {
		return nil, config.Problem{Key: key, Message: err.Error()}
	}
	return m, nil
}
