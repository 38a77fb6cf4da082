package mongodb

import (
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// namespace is a collection's full name.
type namespace struct{ db, coll string }

// String is as MongoDB and Debezium write it.
func (n namespace) String() string { return n.db + "." + n.coll }

// parseNamespace splits at the first point: collections' names may have points.
func parseNamespace(text string) (n namespace, ok bool) {
	n.db, n.coll, ok = strings.Cut(strings.TrimSpace(text), ".")
	return n, ok && n.db != "" && n.coll != ""
}

// builtIn databases are MongoDB's own.
func (n namespace) builtIn() bool { return n.db == "local" || n.db == "admin" || n.db == "config" }

// table is the name as other connectors have it.
func (n namespace) table() debezium.TableID { return debezium.TableID{Catalog: n.db, Table: n.coll} }

func tableID(text string) (debezium.TableID, bool) {
	ns, ok := parseNamespace(text)
	return ns.table(), ok
}
