package mongodb

import "strings"

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
