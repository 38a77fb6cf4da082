package mysql

import (
	"regexp"
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// effect of a statement on definitions.
type effect struct {
	kind      string // of the change of the tables; "" is one of the database
	database  string
	tables    []debezium.TableID
	statement string
}

// Kinds of changes of tables.
const (
	created = "CREATE"
	altered = "ALTER"
	dropped = "DROP"
)

const (
	oneName  = "(?:`(?:[^`]|``)+`|[^\\s.`;,()]+)"
	fullName = "(" + oneName + "(?:\\s*\\.\\s*" + oneName + ")?)"
)

var (
	createTable    = regexp.MustCompile(`(?is)^CREATE\s+(?:OR\s+REPLACE\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?` + fullName)
	alterTable     = regexp.MustCompile(`(?is)^ALTER\s+(?:ONLINE\s+)?(?:IGNORE\s+)?TABLE\s+(?:IF\s+EXISTS\s+)?` + fullName)
	alterRename    = regexp.MustCompile(`(?is)\bRENAME\s+(?:TO|AS)\s+` + fullName)
	dropTable      = regexp.MustCompile(`(?is)^(DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?)(.*?)(\s+(?:RESTRICT|CASCADE))?\s*;?\s*$`)
	renameTable    = regexp.MustCompile(`(?is)^(RENAME\s+TABLES?\s+(?:IF\s+EXISTS\s+)?)(.*)$`)
	renaming       = regexp.MustCompile(`(?is)` + fullName + `\s+(?:(?:NO)?WAIT(?:\s+\d+)?\s+)?TO\s+` + fullName)
	anyName        = regexp.MustCompile(fullName)
	onTable        = regexp.MustCompile(`(?is)^(?:CREATE|DROP)\s+(?:[A-Z]+\s+){0,4}?INDEX\s.*?\sON\s+` + fullName)
	changeDatabase = regexp.MustCompile(`(?is)^(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:DATABASE|SCHEMA)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(` + oneName + `)`)
	anyComment     = regexp.MustCompile(`(?s)/\*.*?\*/`)
)

// effects of a statement that was made within a database; none where it defines neither tables nor databases.
func effects(text, database string) []effect {
	for comment.MatchString(text) {
		text = comment.ReplaceAllString(text, "")
	}
	text = strings.TrimSuffix(strings.TrimSpace(text), ";")
	one := func(kind, name string) []effect {
		id := tableIn(name, database)
		return []effect{{kind, id.Catalog, []debezium.TableID{id}, text}}
	}
	if m := createTable.FindStringSubmatch(text); m != nil {
		return one(created, m[1])
	}
	if m := alterTable.FindStringSubmatch(text); m != nil {
		if to := alterRename.FindStringSubmatch(text); to != nil {
			return one(altered, to[1])
		}
		return one(altered, m[1])
	}
	if m := onTable.FindStringSubmatch(text); m != nil {
		return one(altered, m[1])
	}
	if m := dropTable.FindStringSubmatch(text); m != nil {
		return drops(m[1], anyComment.ReplaceAllString(m[2], ""), m[3], database)
	}
	if m := renameTable.FindStringSubmatch(text); m != nil {
		return renames(m[1], m[2], database)
	}
	if m := changeDatabase.FindStringSubmatch(text); m != nil {
		return []effect{{"", unquoted(m[1]), nil, text}}
	}
	return nil
}

// drops has a statement for each table.
func drops(before, names, after, database string) (all []effect) {
	for _, name := range anyName.FindAllString(names, -1) {
		id := tableIn(name, database)
		all = append(all, effect{dropped, id.Catalog, []debezium.TableID{id}, before + quote(id.Catalog) + "." + quote(id.Table) + after})
	}
	return all
}

func renames(before, names, database string) (all []effect) {
	for _, m := range renaming.FindAllStringSubmatch(names, -1) {
		id := tableIn(m[2], database)
		all = append(all, effect{altered, id.Catalog, []debezium.TableID{id}, before + m[0]})
	}
	return all
}

// tableIn a database, where its name does not say another.
func tableIn(name, database string) debezium.TableID {
	id, ok := debezium.ParseTableID(spaces.ReplaceAllString(strings.TrimSpace(name), "."), true)
	if !ok {
		id = debezium.TableID{Table: unquoted(name)}
	}
	if id.Catalog == "" {
		id.Catalog = database
	}
	return id
}

func unquoted(name string) string {
	if inner, ok := strings.CutPrefix(name, "`"); ok {
		return strings.ReplaceAll(strings.TrimSuffix(inner, "`"), "``", "`")
	}
	return name
}
